#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool replace_write(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

int replace_file(const struct cli *cli, const char *path, const char *bytes, size_t len)
{
	char beside[4096];
	int size = snprintf(beside, sizeof beside, "%s.%d~", path, (int)getpid());
	int fd;

	errno = ENAMETOOLONG;
	if (size < 0 || (size_t)size >= sizeof beside)
		return cli_fail_file(cli, "writing", path, "give a shorter path");
	unlink(beside); /* of an earlier process with our number, which was killed */
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return cli_fail_file(cli, "writing", path, "give a folder that is there and may be written to");

	bool well = replace_write(fd, bytes, len);

	well = close(fd) == 0 && well && rename(beside, path) == 0;
	if (well)
		return 0;

	int code = errno;

	unlink(beside);
	errno = code;
	return cli_fail_file(cli, "writing", path, "check the disk, and that the name is no folder");
}
