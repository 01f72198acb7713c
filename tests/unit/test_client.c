/* libcalloff against an engine that is not one: a forked process that answers, drops and refuses by script. */
#include "kit/kit.h"

#include "base/err.h"
#include "base/limits.h"
#include "calloff.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

KIT_SUITE(client);

/* One script for each connection: what happens to its requests after hello. */
enum script { ANSWER, DROP_HALFWAY, REFUSE_FIRST_TRY, BACKWARDS, GARBAGE, HUGE_FRAME, DEPOSED };

static char folder[] = "/tmp/calloff-client-XXXXXX";
static char path[64];
static const char *elsewhere = ""; /* what a deposed engine says of the one that reigns */
static pid_t server;

static size_t read_frame(int fd, uint8_t *to)
{
	uint8_t head[4];

	if (recv(fd, head, 4, MSG_WAITALL) != 4)
		return 0;
	size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];

	return recv(fd, to, len, MSG_WAITALL) == (ssize_t)len ? len : 0;
}

static void write_frame(int fd, const Calloff__V1__Envelope *e)
{
	static uint8_t bytes[FRAME_BYTES_MAX];
	size_t len = calloff__v1__envelope__pack(e, bytes + 4);

	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(len >> (24 - 8 * i));
	(void)!send(fd, bytes, len + 4, MSG_NOSIGNAL);
}

/* Answers a submit with a package named after its key's last byte: the same key, the same answer. */
static void answer(int fd, const Calloff__V1__Envelope *q, int refuse)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__HelloResponse hello = CALLOFF__V1__HELLO_RESPONSE__INIT;
	Calloff__V1__SubmitPackageResponse submit = CALLOFF__V1__SUBMIT_PACKAGE_RESPONSE__INIT;
	Calloff__V1__Outcome outcome = CALLOFF__V1__OUTCOME__INIT;
	Calloff__V1__Status status = CALLOFF__V1__STATUS__INIT;
	char package[16];

	e.request_id = q->request_id;
	if (q->body_case == CALLOFF__V1__ENVELOPE__BODY_HELLO_REQUEST) {
		hello.protocol = 1;
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE;
		e.hello_response = &hello;
	} else if (refuse != 0) {
		status.code = 14;
		status.number = (uint32_t)refuse;
		status.active_endpoint = (char *)(uintptr_t)elsewhere;
		status.retry_same_key = true;
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_STATUS;
		e.status = &status;
	} else {
		snprintf(package, sizeof package, "P-%u", q->key.data[15]);
		outcome.package = package;
		submit.outcome = &outcome;
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE;
		e.submit_package_response = &submit;
	}
	write_frame(fd, &e);
}

/* Plays one connection; waits for count requests before it answers backwards. */
static void play(int fd, enum script script, size_t count)
{
	static uint8_t bytes[FRAME_BYTES_MAX];
	Calloff__V1__Envelope *kept[64];
	size_t len, seen = 0;

	while ((len = read_frame(fd, bytes)) > 0) {
		Calloff__V1__Envelope *q = calloff__v1__envelope__unpack(NULL, len, bytes);

		if (q->body_case == CALLOFF__V1__ENVELOPE__BODY_HELLO_REQUEST) {
			answer(fd, q, 0);
			calloff__v1__envelope__free_unpacked(q, NULL);
			continue;
		}
		kept[seen++] = q;
		if (script == GARBAGE)
			(void)!send(fd, "\0\0\0\4\xff\xff\xff\xff", 8, MSG_NOSIGNAL);
		if (script == HUGE_FRAME)
			(void)!send(fd, "\x7f\xff\xff\xff", 4, MSG_NOSIGNAL);
		if (script == DROP_HALFWAY && seen == count / 2 + 1)
			break;
		if (script == BACKWARDS) {
			for (size_t i = seen; seen == count && i-- > 0;)
				answer(fd, kept[i], 0);
		} else if (script == ANSWER || script == REFUSE_FIRST_TRY || script == DROP_HALFWAY) {
			answer(fd, q, script == REFUSE_FIRST_TRY && seen <= count ? ERR_STORE_AWAY : 0);
		} else if (script == DEPOSED) {
			answer(fd, q, ERR_DEPOSED);
		}
	}
	while (seen > 0)
		calloff__v1__envelope__free_unpacked(kept[--seen], NULL);
}

static void serve(const enum script *scripts, size_t script_count, size_t count)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/s", folder);
	strcpy(address.sun_path, path);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 8), 0);
	server = fork();
	if (server == 0) {
		for (size_t i = 0; i < script_count; i++) {
			int fd = accept(listener, NULL, NULL);

			play(fd, scripts[i], count);
			close(fd);
		}
		unlink(path);
		_exit(0);
	}
	close(listener);
}

static struct calloff_client *connect_client(const struct calloff_options *o)
{
	struct calloff_client *c = NULL;
	struct calloff_error error;
	struct calloff_options options = *o;

	if (options.socket_path == NULL)
		options.socket_path = path;
	cr_assert_eq(calloff_open(&options, &c, &error), CALLOFF_OK, "%s: %s", error.what, error.why);
	return c;
}

static void submit(struct calloff_client *c, uint8_t number, uint64_t *ret_id)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__SubmitPackageRequest s = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;
	struct calloff_error error;
	uint8_t key[16] = {[6] = 0x70, [8] = 0x80, [15] = number};

	e.key = (ProtobufCBinaryData){16, key};
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
	e.submit_package_request = &s;
	cr_assert_eq(calloff_send(c, &e, ret_id, &error), CALLOFF_OK);
}

/* Sends count requests, and expects each one's own answer, once. */
static void expect_all_answered(struct calloff_client *c, uint8_t count)
{
	uint64_t ids[64];
	bool done[64] = {false};
	struct calloff_error error;
	struct calloff_reply reply;

	for (uint8_t i = 0; i < count; i++)
		submit(c, i, &ids[i]);
	for (uint8_t n = 0; n < count; n++) {
		char package[16];
		uint8_t i = 0;

		cr_assert_eq(calloff_receive(c, &reply, &error), CALLOFF_OK, "%s: %s", error.what, error.why);
		while (i < count && ids[i] != reply.request_id)
			i++;
		cr_assert_lt(i, count);
		cr_assert_not(done[i]);
		done[i] = true;
		cr_assert_eq(reply.envelope->body_case, CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE);
		snprintf(package, sizeof package, "P-%u", i);
		cr_expect_str_eq(reply.envelope->submit_package_response->outcome->package, package);
	}
	cr_expect_eq(calloff_in_flight(c), 0);
}

static void finish(struct calloff_client *c)
{
	calloff_close(c);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	unlink(path);
	rmdir(folder);
}

Test(client, replies_in_any_order_find_their_requests)
{
	struct calloff_client *c;

	serve((enum script[]){BACKWARDS}, 1, 50);
	c = connect_client(&(struct calloff_options){0});
	expect_all_answered(c, 50);
	finish(c);
}

Test(client, a_lost_connection_is_made_again_and_the_rest_is_sent_with_the_same_keys)
{
	struct calloff_client *c;

	serve((enum script[]){DROP_HALFWAY, DROP_HALFWAY, ANSWER}, 3, 20);
	c = connect_client(&(struct calloff_options){0});
	expect_all_answered(c, 40);
	finish(c);
}

Test(client, unavailable_is_tried_again_until_it_is_answered)
{
	struct calloff_client *c;

	serve((enum script[]){REFUSE_FIRST_TRY}, 1, 10);
	c = connect_client(&(struct calloff_options){0});
	expect_all_answered(c, 10);
	finish(c);
}

Test(client, of_several_engines_the_one_that_answers_is_found)
{
	struct calloff_client *c;
	char list[128];

	serve((enum script[]){ANSWER}, 1, 10);
	snprintf(list, sizeof list, "/nowhere/a.sock,%s,/nowhere/b.sock", path);
	c = connect_client(&(struct calloff_options){.socket_path = list});
	expect_all_answered(c, 10);
	finish(c);
}

Test(client, an_engine_that_was_deposed_says_where_to_go_and_there_the_rest_is_answered)
{
	struct calloff_client *c;
	char first[] = "/tmp/calloff-first-XXXXXX", way[64];

	elsewhere = path;
	cr_assert_not_null(mkdtemp(first));
	snprintf(way, sizeof way, "%s/s", first);
	serve((enum script[]){DEPOSED, ANSWER}, 2, 10);
	cr_assert_eq(symlink(path, way), 0);
	c = connect_client(&(struct calloff_options){.socket_path = way});
	unlink(way); /* who does not heed where to go finds nobody */
	expect_all_answered(c, 10);
	finish(c);
	rmdir(first);
}

Test(client, an_engine_that_is_named_but_gone_is_passed_over)
{
	struct calloff_client *c;

	elsewhere = "/nowhere/gone.sock";
	serve((enum script[]){DEPOSED, DEPOSED, ANSWER}, 3, 10);
	c = connect_client(&(struct calloff_options){0});
	expect_all_answered(c, 10);
	finish(c);
}

Test(client, where_nobody_reigns_for_longer_than_its_patience_the_caller_is_told)
{
	struct calloff_client *c;
	struct calloff_error error;
	struct calloff_reply reply;
	uint64_t id;

	serve((enum script[]){DEPOSED, DEPOSED, DEPOSED, DEPOSED, DEPOSED, DEPOSED, DEPOSED, DEPOSED}, 8, 1);
	c = connect_client(&(struct calloff_options){.patience_ms = 300});
	submit(c, 1, &id);
	cr_assert_eq(calloff_receive(c, &reply, &error), CALLOFF_OK);
	cr_assert_eq(reply.envelope->body_case, CALLOFF__V1__ENVELOPE__BODY_STATUS);
	cr_expect_eq(reply.envelope->status->number, ERR_DEPOSED);
	finish(c);
}

Test(client, without_resend_a_refusal_and_a_loss_are_the_callers)
{
	struct calloff_client *c;
	struct calloff_error error;
	struct calloff_reply reply;
	uint64_t id;

	serve((enum script[]){REFUSE_FIRST_TRY, DROP_HALFWAY}, 2, 1);
	c = connect_client(&(struct calloff_options){.no_resend = true});
	submit(c, 1, &id);
	cr_assert_eq(calloff_receive(c, &reply, &error), CALLOFF_OK);
	cr_expect_eq(reply.envelope->body_case, CALLOFF__V1__ENVELOPE__BODY_STATUS);
	calloff_close(c);
	c = connect_client(&(struct calloff_options){.no_resend = true});
	submit(c, 1, &id);
	cr_expect_eq(calloff_receive(c, &reply, &error), CALLOFF_LOST);
	finish(c);
}

Test(client, patience_ends)
{
	struct calloff_client *c;
	struct calloff_error error;
	struct calloff_reply reply;
	uint64_t id;

	serve((enum script[]){DROP_HALFWAY}, 1, 1);
	c = connect_client(&(struct calloff_options){.patience_ms = 100});
	submit(c, 1, &id);
	cr_expect_eq(calloff_receive(c, &reply, &error), CALLOFF_UNREACHABLE);
	cr_expect_eq(calloff_in_flight(c), 1);
	cr_expect_str_neq(error.mend, "");
	finish(c);
}

Test(client, garbage_and_huge_frames_are_refused)
{
	static const enum script scripts[] = {GARBAGE, HUGE_FRAME};
	struct calloff_error error;
	struct calloff_reply reply;
	uint64_t id;

	serve(scripts, 2, 1);
	for (int i = 0; i < 2; i++) {
		struct calloff_client *c = connect_client(&(struct calloff_options){0});

		submit(c, 1, &id);
		cr_expect_eq(calloff_receive(c, &reply, &error), CALLOFF_GARBLED);
		calloff_close(c);
	}
	finish(NULL);
}

Test(client, a_command_without_a_key_is_not_sent)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__EndPackageRequest end = CALLOFF__V1__END_PACKAGE_REQUEST__INIT;
	struct calloff_client *c;
	struct calloff_error error;
	uint64_t id;

	serve((enum script[]){ANSWER}, 1, 1);
	c = connect_client(&(struct calloff_options){0});
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_REQUEST;
	e.end_package_request = &end;
	cr_expect_eq(calloff_send(c, &e, &id, &error), CALLOFF_MISUSE);
	cr_expect_eq(calloff_in_flight(c), 0);
	finish(c);
}

Test(client, at_most_4096_requests_are_in_flight)
{
	struct calloff_client *c;
	struct calloff_error error;
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetHealthRequest health = CALLOFF__V1__GET_HEALTH_REQUEST__INIT;
	uint64_t id;

	serve((enum script[]){GARBAGE}, 1, 1);
	c = connect_client(&(struct calloff_options){0});
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_HEALTH_REQUEST;
	e.get_health_request = &health;
	for (int i = 0; i < CALLOFF_IN_FLIGHT_MAX; i++)
		cr_assert_eq(calloff_send(c, &e, &id, &error), CALLOFF_OK);
	cr_expect_eq(calloff_send(c, &e, &id, &error), CALLOFF_MISUSE);
	finish(c);
}

Test(client, nobody_listening_is_told_with_a_remedy)
{
	struct calloff_options options = {.socket_path = "/nonexistent/calloff.sock"};
	struct calloff_client *c = NULL;
	struct calloff_error error;

	cr_expect_eq(calloff_open(&options, &c, &error), CALLOFF_UNREACHABLE);
	cr_expect_null(c);
	cr_expect_not_null(strstr(error.what, "/nonexistent/calloff.sock"));
	cr_expect_not_null(strstr(error.mend, "CALLOFF_SOCKET"));
}
