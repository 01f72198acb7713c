#include "keys.h"

#include "base/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char keys_title[] = "calloff-keys 1\n";

static void keys_push(struct keys *k, const struct keys_entry *e)
{
	if (k->count == k->size) {
		k->size = k->size == 0 ? 1024 : k->size * 2;
		k->entries = realloc(k->entries, k->size * sizeof *k->entries);
		INSIST(k->entries != NULL);
	}
	k->entries[k->count++] = *e;
}

static int keys_compare(const void *a, const void *b)
{
	const struct keys_entry *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

/* Reads what is there; *ret_end is where the last whole line ends. */
static bool keys_load(struct keys *k, off_t *ret_end, char problem[240])
{
	char text[160];

	*ret_end = 0;
	for (size_t at = 1; fgets(text, sizeof text, k->file) != NULL; at++) {
		struct keys_entry e;
		char key[64];

		bool whole = strchr(text, '\n') != NULL;

		if (at == 1 && strncmp(text, keys_title, whole ? sizeof keys_title : strlen(text)) != 0) {
			snprintf(problem, 240, "its first line is not \"calloff-keys 1\"");
			return false;
		}
		if (!whole)
			break;
		if (at > 1) {
			if (sscanf(text, "%zu %16" SCNx64 " %63s", &e.line, &e.fingerprint, key) != 3 ||
			    !calloff_key_parse(key, e.key)) {
				snprintf(problem, 240, "its line %zu is not LINE FINGERPRINT KEY", at);
				return false;
			}
			keys_push(k, &e);
		}
		*ret_end = ftello(k->file);
	}
	return true;
}

bool keys_open(struct keys *k, const char *path, char problem[240])
{
	off_t end;

	memset(k, 0, sizeof *k);
	k->file = fopen(path, "a+e");
	if (k->file == NULL) {
		snprintf(problem, 240, "%s", strerror(errno));
		return false;
	}
	if (flock(fileno(k->file), LOCK_EX | LOCK_NB) != 0) {
		snprintf(problem, 240, "another calloff submit uses it");
		return false;
	}
	rewind(k->file);
	if (!keys_load(k, &end, problem))
		return false;
	if (ferror(k->file) || ftruncate(fileno(k->file), end) != 0 || fseeko(k->file, 0, SEEK_END) != 0 ||
	    (end == 0 && (fputs(keys_title, k->file) == EOF || fflush(k->file) != 0))) {
		snprintf(problem, 240, "%s", strerror(errno));
		return false;
	}
	if (k->count > 0)
		qsort(k->entries, k->count, sizeof *k->entries, keys_compare);
	return true;
}

void keys_close(struct keys *k)
{
	if (k->file != NULL)
		fclose(k->file);
	free(k->entries);
	memset(k, 0, sizeof *k);
}

enum keys_found keys_find(const struct keys *k, size_t line, uint64_t fingerprint,
			  uint8_t ret_key[CALLOFF_KEY_BYTES])
{
	struct keys_entry wanted = {.line = line};
	const struct keys_entry *e =
		k->count > 0 ? bsearch(&wanted, k->entries, k->count, sizeof *k->entries, keys_compare)
			     : NULL;

	if (e == NULL)
		return KEYS_NEW;
	if (e->fingerprint != fingerprint)
		return KEYS_CHANGED;
	memcpy(ret_key, e->key, CALLOFF_KEY_BYTES);
	return KEYS_FOUND;
}

void keys_add(struct keys *k, size_t line, uint64_t fingerprint, const uint8_t key[CALLOFF_KEY_BYTES])
{
	char text[37];

	if (k->file == NULL)
		return;
	calloff_key_format(key, text);
	fprintf(k->file, "%zu %016" PRIx64 " %s\n", line, fingerprint, text);
	k->added = true;
}

bool keys_sync(struct keys *k)
{
	if (k->file == NULL || !k->added)
		return true;
	k->added = false;
	return fflush(k->file) == 0 && ferror(k->file) == 0 && fdatasync(fileno(k->file)) == 0;
}
