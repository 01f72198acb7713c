/* check.h — three assertions, always on, never on data from outside.
 *
 * REQUIRE      the caller broke the contract written in the header
 * INSIST       this function broke its own promise
 * UNREACHABLE  a switch over our own enum fell through
 * Bytes, rows and configuration are never asserted: they return an enum err.
 */
#pragma once

_Noreturn void check_fail(const char *kind, const char *text, const char *file, int line);

#define REQUIRE(x) ((x) ? (void)0 : check_fail("REQUIRE", #x, __FILE__, __LINE__))
#define INSIST(x) ((x) ? (void)0 : check_fail("INSIST", #x, __FILE__, __LINE__))
#define UNREACHABLE() check_fail("UNREACHABLE", "", __FILE__, __LINE__)
