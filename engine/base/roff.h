/* roff.h — the few words of man(7) that the manual pages are made of, at build time.
 *
 * Shape:   text in, escaped lines out: a backslash, a hyphen or a point at a line's start means itself.
 * Units:   none. Errors: none; the file's own state is the caller's to look at.
 * Owner:   nobody: nothing is kept. Linked by the page makers only, not by libbase.
 * Source:  groff_man(7).
 */
#pragma once

#include <stdio.h>

void roff_title(FILE *out, const char *name, const char *section, const char *what);
/* A heading, and one below it. */
void roff_section(FILE *out, const char *heading);
void roff_subsection(FILE *out, const char *heading);
/* A paragraph; its lines are filled. */
void roff_text(FILE *out, const char *text);
/* Lines as they are: an example. */
void roff_block(FILE *out, const char *text);
/* A term and what it means: "--key UUIDV7". value may be NULL. */
void roff_term(FILE *out, const char *term, const char *value, const char *text);
