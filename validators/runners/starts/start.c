/* Reads the last word before any other code of the program runs, and writes it when main has returned 0. */
#include <string.h>
#include <unistd.h>

static char last_word[99];

static void read_last_word(void) {
  if (read(0, last_word, sizeof last_word - 1) <= 0) _exit(99);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = read_last_word;

int __real_main(int count, char **words, char **environment);

int __wrap_main(int count, char **words, char **environment) {
  int code = __real_main(count, words, environment);
  if (code == 0 && write(3, last_word, strlen(last_word)) < 0) return 99;
  return code;
}
