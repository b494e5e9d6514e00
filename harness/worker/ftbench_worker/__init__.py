"""The part of ftbench that runs inside the measured interpreter.

Standard library only, Python 3.9 and later, CPython and PyPy. The driver starts it as
`python -m ftbench_worker --channel READ_FD WRITE_FD` and talks to it in JSON lines over these two
file descriptors; harness/ftbench/src/measure/protocol.rs describes the messages, and
harness/worker/examples has one of each. The worker prints nothing: stdout and stderr belong to
the workload.

    __main__        the loop over requests
    channel         JSON lines over two file descriptors
    trial           what each request does
    workload        load the user's file, call its functions
    calls           statements as workloads
    commands        whole programs as workloads
    servers         the server that a command is a client of
    programs        starting programs
    formats         the tools whose benchmarks are measured as they are
    asv_benchmarks  a benchmark for asv as a workload
    asv_marks       what such benchmarks import from asv
    pyperf_scripts  a benchmark of a script for pyperf as a workload
    pytest_tests    the benchmark in a test for pytest as a workload
    pytest_plugin   what pytest gets in place of pytest-benchmark and pytest-codspeed
    offering        a program that waits while a benchmark of it is measured
    cases           a program of its own: list the benchmarks in a file for another tool
    loops           event loops, by asyncio or a factory of the user's
    share           one worker's part of a sample, with its time stamps
    models          the table of models; serial
    threads         ThreadPoolExecutor
    embedded        Rust threads, in the embedded host
    processes       ProcessPoolExecutor
    interpreters    InterpreterPoolExecutor
    pooled          what runs in each process or interpreter of a pool
    event_loops     asyncio: tasks on one loop, or one loop in each of several threads
    importing       the import of the user's module: its own time, threads that it leaves
    thread_pools    threads of native libraries such as OpenBLAS
    collector       garbage collections, and how long they take
    gil             GIL state, and which module switched it on
    sampler         what the workers do, for `ftbench explain`
    objects         which object is at an address, and how it is reached
    failure         an exception of the workload, described in the user's terms
"""

PROTOCOL_VERSION = 7
