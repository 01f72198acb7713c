#include "net/notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum err notify_open(struct notify *n, const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	memset(n, 0, sizeof *n);
	n->fd = -1;
	if (len == 0)
		return ERR_OK;
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof n->to.sun_path)
		return ERR_CONFIG;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, name, len);
	if (name[0] == '@')
		n->to.sun_path[0] = '\0';
	/* an abstract name ends where the address does, a path by its NUL */
	n->to_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return n->fd >= 0 ? ERR_OK : ERR_SYSTEM;
}

bool notify_send(struct notify *n, const char *text)
{
	size_t len = strlen(text);

	return n->fd >= 0 && sendto(n->fd, text, len, MSG_NOSIGNAL, (struct sockaddr *)&n->to, n->to_bytes) == (ssize_t)len;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
