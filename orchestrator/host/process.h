#ifndef KILN_HOST_PROCESS_H
#define KILN_HOST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * What a process that was forked, not spawned, does to itself: nothing it inherited by accident
 * stays, and it does not outlive who wants it.
 */

/*
 * Gives 0, 1 and 2 something to be where whoever started this process closed them, so that no file
 * that is opened later gets their number: reading and results fail as before, messages vanish.
 */
void process_fill_standard_fds(void);
/*
 * Leaves nothing of the environment but the variables listed, neither for what this process starts
 * nor in the memory that /proc/PID/environ shows: what a person handed to the main process, a
 * signing key for one, is not this process's.
 */
void process_keep_environment(const char *const *names, size_t n);
/* Default dispositions for every signal, empty mask. */
void process_reset_signals(void);
/*
 * SIGKILL for this process when its parent ends. Call it after the last change of credentials;
 * `parent` is the parent's pid read before the fork. False when the parent is gone already.
 */
bool process_die_with_parent(pid_t parent);
/* The same with a signal that the caller takes by itself (blocked, in a signalfd). */
bool process_signal_with_parent(pid_t parent, int sig);
/*
 * SIGKILL for every child of this process but those listed: for reapers, whose children are also
 * what others left behind. Their own children come to light when they are gone, so call it again
 * after each wait until nothing is left.
 */
void process_kill_others(const pid_t *keep, size_t n);
/* Closes all descriptors from 3 up but those listed (any order); the listed stay as they are. */
void process_close_fds(const int *keep, size_t n);
/* Makes all descriptors from 3 up close on exec but those listed, which stay open. */
void process_keep_fds(const int *keep, size_t n);
/* A new session keyring, where there are keyrings: the keys of the user's login stay out of reach. False: there
 * are, and it could not be had. */
bool process_new_keyring(void);
/*
 * fork(2) for a child that only makes itself ready and execs: it copies nothing of this process, which waits
 * until it has execed or ended (clone(2), CLONE_VM and CLONE_VFORK), and hears only SIGKILL meanwhile. So `fn`
 * runs on a stack of its own, of PROCESS_STACK bytes, and what it writes it writes into this process's memory;
 * its descriptors, dispositions, mask, limits and ids are its own. What fn returns is its exit status. -1:
 * errno. Where a memory may be looked at by whoever a process has become (fs.suid_dumpable=1) it is a fork.
 */
enum { PROCESS_STACK = 256 << 10 };
pid_t process_fork_to_exec(int (*fn)(void *data), void *data);
/* Whose child a process is; -1 where there is none of that number. */
pid_t process_parent(pid_t pid);
/* A pidfd (close-on-exec) of a child that was not waited for yet; -1 and errno. */
int process_pidfd(pid_t pid);
/* A signal that carries a number, as by sigqueue(3): false, and errno, where there is no such process any more. It
 * comes without the number where the user's signals that wait have reached their limit (RLIMIT_SIGPENDING). */
bool process_signal_with(int pidfd, int sig, int value);

#endif
