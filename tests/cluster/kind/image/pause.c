/* The process that holds a pod's namespaces: waits, and leaves when told. */
#include <signal.h>
#include <unistd.h>
static void leave(int number) { _exit(number * 0); }
int main(void) {
  signal(SIGTERM, leave);
  signal(SIGINT, leave);
  for (;;) pause();
}
