#include "base/err.h"

#include <stddef.h>

struct err_row {
	int number, code;
	enum err_retry retry;
	const char *name, *what, *mend;
};

static const struct err_row err_rows[] = {
#define X(name_, number_, code_, retry_, what_, mend_)                                             \
	{number_, code_, ERR_RETRY_##retry_, #name_, what_, mend_},
	ERR_MAP(X)
#undef X
};

static const struct err_row *err_find(int number)
{
	static const struct err_row unknown = {-1, 2, ERR_RETRY_NEW, "UNKNOWN", "an error this program does not know",
					       "update the client"};

	for (size_t i = 0; i < sizeof err_rows / sizeof err_rows[0]; i++) {
		if (err_rows[i].number == number)
			return &err_rows[i];
	}
	return &unknown;
}

const char *err_name(int number)
{
	return err_find(number)->name;
}

const char *err_what(int number)
{
	return err_find(number)->what;
}

const char *err_mend(int number)
{
	return err_find(number)->mend;
}

int err_code(int number)
{
	return err_find(number)->code;
}

enum err_retry err_retry(int number)
{
	return err_find(number)->retry;
}
