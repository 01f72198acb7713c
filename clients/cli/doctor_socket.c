/* The way to the engine: the folders to its socket, the socket, who listens. No request is sent. */
#include "doctor.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char doctor_start[] = "systemctl status 'calloffd@*', journalctl -u 'calloffd@*' -n 50; by hand: "
				   "calloffd --check-config, then calloffd";

static struct text doctor_user(uid_t uid)
{
	const struct passwd *p = getpwuid(uid);
	struct text t;

	if (p != NULL)
		snprintf(t.s, sizeof t.s, "%.60s", p->pw_name);
	else
		snprintf(t.s, sizeof t.s, "uid %u", uid);
	return t;
}

static struct text doctor_group(gid_t gid)
{
	const struct group *g = getgrgid(gid);
	struct text t;

	if (g != NULL)
		snprintf(t.s, sizeof t.s, "%.60s", g->gr_name);
	else
		snprintf(t.s, sizeof t.s, "gid %u", gid);
	return t;
}

/* The first part of the path that we may not pass, with whom to ask. */
static void doctor_denied(struct doctor *d, const char *path)
{
	char part[sizeof((struct sockaddr_un *)0)->sun_path], mend[300];
	struct stat st;

	for (size_t len = 1; len <= strlen(path); len++) {
		bool whole = path[len] == '\0';

		if (!whole && path[len] != '/')
			continue;
		snprintf(part, sizeof part, "%.*s", (int)len, path);
		if (stat(part, &st) != 0 || access(part, whole ? R_OK | W_OK : X_OK) == 0)
			continue;
		snprintf(mend, sizeof mend, "as root: usermod -aG %s %s, then log in again",
			 doctor_group(st.st_gid).s, doctor_user(geteuid()).s);
		doctor_say(d, DOCTOR_FAIL, "socket", "the engine admits the members of one group", mend,
			   "%s is of %s:%s, mode %04o, and you are %s", part, doctor_user(st.st_uid).s,
			   doctor_group(st.st_gid).s, st.st_mode & 07777, doctor_user(geteuid()).s);
		return;
	}
	doctor_say(d, DOCTOR_FAIL, "socket", strerror(EACCES),
		   "ask the operator to admit your account to the socket's group", "%s does not let you in", path);
}

/* Nothing there: is there an engine elsewhere? */
static void doctor_absent(struct doctor *d, const char *path)
{
	char mend[400];
	glob_t found;
	bool other = glob("/run/calloff/*.sock", 0, NULL, &found) == 0;

	if (!other) {
		globfree(&found);
		other = glob("/run/calloff/*/*.sock", 0, NULL, &found) == 0;
	}
	if (other && strcmp(found.gl_pathv[0], path) != 0)
		snprintf(mend, sizeof mend, "an engine's socket is at %.100s: --socket, or export CALLOFF_SOCKET",
			 found.gl_pathv[0]);
	else
		snprintf(mend, sizeof mend, "start it: systemctl start calloffd@1; %s", doctor_start);
	globfree(&found);
	doctor_say(d, DOCTOR_FAIL, "socket", "no engine was started there, or it has ended and removed it", mend,
		   "%s is not there", path);
}

static void doctor_peer(struct doctor *d, int fd, const char *path)
{
	struct ucred peer = {0};
	socklen_t size = sizeof peer;
	char file[64], program[32] = "";
	FILE *f;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		peer.pid = 0;
	snprintf(file, sizeof file, "/proc/%d/comm", (int)peer.pid);
	f = fopen(file, "re");
	if (f != NULL) {
		if (fgets(program, sizeof program, f) == NULL)
			program[0] = '\0';
		fclose(f);
	}
	program[strcspn(program, "\n")] = '\0';
	if (program[0] != '\0' && strcmp(program, "calloffd") != 0)
		doctor_say(d, DOCTOR_WARN, "socket", "some other program listens at the engine's path",
			   doctor_start, "%s: process %d (%s), user %s, listens", path, (int)peer.pid, program,
			   doctor_user(peer.uid).s);
	else
		doctor_say(d, DOCTOR_OK, "socket", NULL, NULL, "%s: process %d%s%s%s, user %s, listens", path,
			   (int)peer.pid, program[0] != '\0' ? " (" : "", program, program[0] != '\0' ? ")" : "",
			   doctor_user(peer.uid).s);
}

static bool doctor_endpoint(struct doctor *d, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, code;

	if (strlen(path) >= sizeof address.sun_path) {
		doctor_say(d, DOCTOR_FAIL, "socket", "a socket's path has less than 108 bytes",
			   "give a shorter one", "%.40s... is too long", path);
		return false;
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	code = fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ? errno : 0;
	if (code == 0)
		doctor_peer(d, fd, path);
	else if (code == EACCES || code == EPERM)
		doctor_denied(d, path);
	else if (code == ENOENT || code == ENOTDIR)
		doctor_absent(d, path);
	else if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		doctor_say(d, DOCTOR_FAIL, "socket", "it is a file or a folder",
			   "give the engine's socket with --socket", "%s is no socket", path);
	else
		doctor_say(d, DOCTOR_FAIL, "socket",
			   code == ECONNREFUSED
				   ? "the engine that made it was killed; the next one to start replaces it"
				   : strerror(code),
			   doctor_start, "%s is there, but nobody listens", path);
	if (fd >= 0)
		close(fd);
	return code == 0;
}

/* Each of "a.sock,b.sock". */
bool doctor_socket(struct doctor *d)
{
	const char *list = options_value(&d->cli->options, "socket");
	bool any = false;

	if (list == NULL)
		list = getenv("CALLOFF_SOCKET");
	if (list == NULL || list[0] == '\0')
		list = CALLOFF_SOCKET_DEFAULT;
	for (;;) {
		char path[256];
		size_t len = strcspn(list, ",");

		snprintf(path, sizeof path, "%.*s", (int)len, list);
		any = doctor_endpoint(d, path) || any;
		if (list[len] == '\0')
			return any;
		list += len + 1;
	}
}
