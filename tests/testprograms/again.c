/* Runs two programs by turns, each with the process id that the one before has just left: again TURNS FIRST SECOND MILLISECONDS */
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(pid_t wanted, char **command)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t child;

	if (wanted) {
		args.set_tid = (uint64_t)(uintptr_t)&wanted;
		args.set_tid_size = 1;
	}
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (!child) {
		execv(command[0], command);
		_exit(127);
	}
	return child;
}

int main(int argc, char **argv)
{
	pid_t pid = 0;

	if (argc < 5)
		return 2;
	for (int turn = 0; turn < 2 * atoi(argv[1]); turn++) {
		char *command[] = { argv[2 + turn % 2], argv[4], 0 };
		pid_t child = start(pid, command);

		if (child < 0) {
			perror("clone3");
			return 1;
		}
		waitpid(child, 0, 0);
		pid = child;
	}
	return 0;
}
