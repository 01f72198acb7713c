/* What a service manager hears, over a real datagram socket of ours; time is given. */
#include "kit/kit.h"

#include "server/manager.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

KIT_SUITE(notify);
KIT_SUITE(manager);

enum { SECOND = 1000000 };

static int manager_fd;
static char name[64], folder[32];
static struct manager m;
static struct manager_view view;

static void listen_at(const char *where)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(where));

	memmove(name, where, strlen(where) + 1);
	memcpy(a.sun_path, where, strlen(where));
	if (where[0] == '@')
		a.sun_path[0] = '\0';
	manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(manager_fd, (struct sockaddr *)&a, len + (where[0] == '/')), 0);
}

static void listen_here(void)
{
	char where[64];

	snprintf(folder, sizeof folder, "/tmp/calloff-notify-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(where, sizeof where, "%s/socket", folder);
	listen_at(where);
}

/* The next message, "" when there is none. */
static const char *heard(void)
{
	static char text[512];
	ssize_t len = recv(manager_fd, text, sizeof text - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void begin(const char *watchdog_us)
{
	listen_here();
	view = (struct manager_view){.status = "loading"};
	cr_assert_eq(manager_open(&m, name, watchdog_us, NULL), ERR_OK);
}

static void finish(void)
{
	manager_close(&m);
	close(manager_fd);
	unlink(name);
	rmdir(folder);
}

Test(notify, an_abstract_name_is_reached_too)
{
	struct notify n;
	char where[64];

	snprintf(where, sizeof where, "@calloff-test-%d", (int)getpid());
	listen_at(where);
	cr_assert_eq(notify_open(&n, where), ERR_OK);
	cr_expect(notify_send(&n, "READY=1"));
	cr_expect_str_eq(heard(), "READY=1");
	notify_close(&n);
	close(manager_fd);
}

Test(notify, without_a_name_nothing_is_sent_and_nothing_fails)
{
	struct notify n;

	cr_assert_eq(notify_open(&n, NULL), ERR_OK);
	cr_expect_not(notify_send(&n, "READY=1"));
	cr_assert_eq(notify_open(&n, ""), ERR_OK);
	cr_expect_lt(n.fd, 0);
	notify_close(&n);
}

Test(notify, what_cannot_be_a_name_is_refused)
{
	char longest[120] = "/";
	struct notify n;

	memset(longest + 1, 'x', 118);
	cr_expect_eq(notify_open(&n, longest), ERR_CONFIG);
	cr_expect_eq(notify_open(&n, "relative"), ERR_CONFIG);
	cr_expect_eq(notify_open(&n, "@"), ERR_CONFIG);
	cr_expect_lt(n.fd, 0);
}

Test(notify, a_manager_that_does_not_read_delays_nobody)
{
	struct notify n;
	int sent = 0;

	listen_here();
	cr_assert_eq(notify_open(&n, name), ERR_OK);
	while (sent < 100000 && notify_send(&n, "WATCHDOG=1"))
		sent++;
	cr_expect(sent > 0 && sent < 100000, "it blocks or takes for ever: %d", sent);
	close(manager_fd);
	cr_expect_not(notify_send(&n, "WATCHDOG=1"), "a manager that is gone is no signal and no abort");
	notify_close(&n);
	unlink(name);
	rmdir(folder);
}

Test(manager, ready_is_told_once_and_the_status_whenever_it_changes)
{
	begin(NULL);
	m.pinged_us = 0; /* the pings are another test's */
	manager_tick(&m, &view, 1);
	cr_expect_str_eq(heard(), "STATUS=loading");
	manager_tick(&m, &view, 2);
	cr_expect_str_eq(heard(), "");
	view.ready = true;
	view.status = "serving";
	manager_tick(&m, &view, 3);
	cr_expect_str_eq(heard(), "READY=1\nSTATUS=serving");
	view.ready = false;
	view.status = "loading";
	manager_tick(&m, &view, 4);
	cr_expect_str_eq(heard(), "STATUS=loading");
	view.ready = true;
	manager_tick(&m, &view, 5);
	cr_expect_str_eq(heard(), "", "a reload of our own is not a start");
	view.stopping = true;
	manager_tick(&m, &view, 6);
	cr_expect_str_eq(heard(), "STOPPING=1\nSTATUS=loading");
	manager_tick(&m, &view, 7);
	cr_expect_str_eq(heard(), "");
	finish();
}

Test(manager, reloading_lasts_until_the_next_load_has_ended)
{
	begin(NULL);
	view.ready = true;
	view.status = "serving";
	view.loads = 1;
	m.pinged_us = 0;
	manager_reloading(&m, &view, 1);
	cr_expect_str_eq(heard(), "", "before the start is over there is nothing to reload");
	manager_tick(&m, &view, 2);
	cr_expect_str_eq(heard(), "READY=1\nSTATUS=serving");
	manager_reloading(&m, &view, 77);
	cr_expect_str_eq(heard(), "RELOADING=1\nMONOTONIC_USEC=77");
	manager_tick(&m, &view, 78);
	cr_expect_str_eq(heard(), "", "still the old state: batches were under way");
	view.loads = 2;
	manager_tick(&m, &view, 79);
	cr_expect_str_eq(heard(), "READY=1\nSTATUS=serving");
	finish();
}

Test(manager, the_watchdog_is_fed_at_less_than_half_of_its_time)
{
	int64_t last_us = 0;
	int pings = 0;

	begin("3000000");
	view.ready = true;
	for (int64_t now_us = 0; now_us < 60 * (int64_t)SECOND; now_us += 250000) {
		manager_tick(&m, &view, now_us);
		for (const char *text = heard(); text[0] != '\0'; text = heard()) {
			if (strstr(text, "WATCHDOG=1") == NULL)
				continue;
			cr_expect_lt(now_us - last_us, 1500000);
			last_us = now_us;
			pings++;
		}
	}
	cr_expect(pings >= 45 && pings <= 61, "%d pings", pings);
	finish();
}

Test(manager, while_it_loads_or_stops_it_asks_for_more_time)
{
	begin(NULL);
	manager_tick(&m, &view, 0);
	cr_expect_str_eq(heard(), "EXTEND_TIMEOUT_USEC=30000000");
	cr_expect_str_eq(heard(), "STATUS=loading");
	manager_tick(&m, &view, 9 * SECOND);
	cr_expect_str_eq(heard(), "");
	manager_tick(&m, &view, 10 * SECOND);
	cr_expect_str_eq(heard(), "EXTEND_TIMEOUT_USEC=30000000");
	view.ready = true;
	manager_tick(&m, &view, 11 * SECOND);
	cr_expect_str_eq(heard(), "READY=1\nSTATUS=loading");
	manager_tick(&m, &view, 60 * SECOND);
	cr_expect_str_eq(heard(), "", "it serves, and nobody watches");
	finish();
}

Test(manager, an_answer_owed_for_five_minutes_stops_the_pings)
{
	begin("10000000");
	view.ready = true;
	view.owed_us = MANAGER_STUCK_US - 1;
	manager_tick(&m, &view, 0);
	cr_expect_not_null(strstr(heard(), "WATCHDOG=1"));
	while (heard()[0] != '\0')
		;
	view.owed_us = MANAGER_STUCK_US;
	manager_tick(&m, &view, 10 * SECOND);
	cr_expect_str_eq(heard(), "");
	view.owed_us = 0;
	manager_tick(&m, &view, 11 * SECOND);
	cr_expect_str_eq(heard(), "WATCHDOG=1", "an answer came: healthy again");
	finish();
}

Test(manager, a_watchdog_meant_for_another_process_is_not_fed)
{
	listen_here();
	view = (struct manager_view){.ready = true, .status = "serving"};
	cr_assert_eq(manager_open(&m, name, "1000000", "1"), ERR_OK);
	manager_tick(&m, &view, 0);
	cr_expect_str_eq(heard(), "EXTEND_TIMEOUT_USEC=30000000");
	cr_expect_str_eq(heard(), "READY=1\nSTATUS=serving");
	manager_tick(&m, &view, 100 * SECOND);
	cr_expect_str_eq(heard(), "");
	finish();
}

Test(manager, a_message_that_was_lost_is_said_again)
{
	begin(NULL);
	view.ready = true;
	close(manager_fd);
	manager_tick(&m, &view, 0);
	unlink(name);
	listen_at(name);
	manager_tick(&m, &view, 1);
	cr_expect_str_eq(heard(), "EXTEND_TIMEOUT_USEC=30000000");
	cr_expect_str_eq(heard(), "READY=1\nSTATUS=loading");
	finish();
}
