/* A host with an interpreter inside: runs a script in a thread of its own. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <stdio.h>

static __attribute__((noinline)) int run_script(const char *path)
{
	FILE *file = fopen(path, "r");
	int failed = file ? PyRun_SimpleFileEx(file, path, 1) : 1;

	return failed + 1;
}

static void *host_thread(void *path)
{
	PyGILState_STATE state = PyGILState_Ensure();
	int result = run_script(path);

	PyGILState_Release(state);
	return (void *)(long)(result - 1);
}

int main(int argc, char **argv)
{
	PyConfig config;
	PyThreadState *first;
	pthread_t thread;
	void *failed;

	PyConfig_InitPythonConfig(&config);
	config.parse_argv = 0;
	PyConfig_SetBytesArgv(&config, argc - 1, argv + 1);
	if (PyStatus_Exception(Py_InitializeFromConfig(&config)))
		return 1;
	first = PyEval_SaveThread();
	pthread_create(&thread, NULL, host_thread, argv[1]);
	pthread_join(thread, &failed);
	PyEval_RestoreThread(first);
	return failed ? 1 : Py_FinalizeEx();
}
