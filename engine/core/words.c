#include "core/words.h"

#include <stddef.h>
#include <string.h>

struct word {
	int number;
	const char *word, *text;
};

static const struct word *word_by_number(const struct word *words, size_t count, int number)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i].number == number)
			return &words[i];
	}
	return NULL;
}

static int word_by_text(const struct word *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].word, word) == 0)
			return words[i].number;
	}
	return -1;
}

#define ROW(name, number, word, text) {number, word, text},
#define X(name, NAME, map)                                                                         \
	static const struct word name##_words[] = {map(ROW)};                                      \
	const char *name##_word(int number)                                                        \
	{                                                                                          \
		const struct word *w = word_by_number(name##_words, sizeof name##_words / sizeof name##_words[0], number); \
		return w != NULL ? w->word : "?";                                                  \
	}                                                                                          \
	const char *name##_text(int number)                                                        \
	{                                                                                          \
		const struct word *w = word_by_number(name##_words, sizeof name##_words / sizeof name##_words[0], number); \
		return w != NULL ? w->text : "?";                                                  \
	}                                                                                          \
	int name##_of(const char *word)                                                            \
	{                                                                                          \
		return word_by_text(name##_words, sizeof name##_words / sizeof name##_words[0], word); \
	}
WORDS_LIST(X)
#undef X
