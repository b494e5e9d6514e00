// The sampler of `ftbench explain`: a library that is loaded into the measured interpreter and interrupts each worker
// at a fixed rate, whether it runs or sleeps. Each sample has the worker's registers, the innermost part of its C stack
// and its innermost Python frames. Nothing is interpreted here; the crate ftbench-explain does that.
//
// It needs no permission and no header of CPython: a POSIX timer for each thread sends it a signal, and the offsets in
// CPython's structs come from the caller. The handler takes no lock, allocates nothing, and writes only to memory of
// its own thread, so that sampling makes no workers wait for each other. Linux on x86-64 and AArch64, glibc 2.34
// or later.

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// glibc 2.36 and earlier have no name for this member (timer_create(2)).
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

// Linux 5.14; glibc has had the name since 2.35.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

// Bytes for which memory is provided before sampling starts, so that few samples cause a page fault: some 250 samples.
#define READY_BYTES ((size_t)1 << 20)

// Bytes of the stack in a sample. From a system call in a lock up to the interpreter's loop it takes 1 to 2 KiB.
#define STACK_BYTES 4096
// Python frames in a sample.
#define FRAMES 4

// Registers in a sample. x86-64: in the order of its encoding, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 ... r15; rip.
// AArch64: x0 ... x30, sp, pc.
#ifdef __aarch64__
#define REGISTERS 33
#define STACK_POINTER 31
#else
#define REGISTERS 17
#define STACK_POINTER 4
#endif

// A sample in the file. `stack_bytes` bytes of the stack, padded to a multiple of 8, follow.
struct sample {
    uint64_t time_ns;         // CLOCK_MONOTONIC
    uint64_t registers[REGISTERS];
    uint64_t frames[FRAMES];  // addresses of code objects, innermost first; 0 where there is none
    uint64_t stack_bytes;
};

struct worker {
    timer_t timer;
    const char *stack_end;
    size_t stack_size_bytes;
    char *thread_state;  // the thread's PyThreadState; it stays the same while the thread has none attached
    char *samples;
    size_t used_bytes;
    uint64_t lost;  // samples for which there was no room
    uint64_t thread_id;
};

static struct {
    struct worker *workers;
    size_t count, capacity_bytes;
    void *(*thread_state)(void);
    // Offsets of PyThreadState.current_frame, and of `previous` and `f_executable` in _PyInterpreterFrame; all are 0 if
    // no Python frames are wanted.
    uint64_t current_frame, previous, executable;
} sampler;

static void read_registers(const ucontext_t *context, uint64_t registers[REGISTERS]) {
    const mcontext_t *machine = &context->uc_mcontext;
#ifdef __aarch64__
    for (int i = 0; i < STACK_POINTER; i++) registers[i] = machine->regs[i];
    registers[STACK_POINTER] = machine->sp;
    registers[STACK_POINTER + 1] = machine->pc;
#else
    static const int ORDER[REGISTERS] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8,
                                         REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (int i = 0; i < REGISTERS; i++) registers[i] = machine->gregs[ORDER[i]];
#endif
}

static void read_frames(struct worker *worker, uint64_t frames[FRAMES]) {
    if (!sampler.current_frame) return;
    char *attached = sampler.thread_state();
    if (attached) worker->thread_state = attached;
    if (!worker->thread_state) return;
    const char *frame = *(char **)(worker->thread_state + sampler.current_frame);
    for (int i = 0; frame && i < FRAMES; i++) {
        // From 3.14 on the lowest bits are a tag; objects are aligned to 8 bytes or more.
        frames[i] = *(uint64_t *)(frame + sampler.executable) & ~(uint64_t)7;
        frame = *(char **)(frame + sampler.previous);
    }
}

static void take_sample(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    if (info->si_code != SI_TIMER) return;
    int saved_errno = errno;
    struct worker *worker = info->si_value.sival_ptr;
    uint64_t registers[REGISTERS];
    read_registers(context, registers);
    const char *stack = (char *)registers[STACK_POINTER];
    size_t stack_bytes = 0;
    // A signal stack, or that of a coroutine of C code, is not copied.
    if (stack < worker->stack_end && (size_t)(worker->stack_end - stack) <= worker->stack_size_bytes) {
        stack_bytes = worker->stack_end - stack;
        if (stack_bytes > STACK_BYTES) stack_bytes = STACK_BYTES;
        stack_bytes &= ~(size_t)7;
    }
    struct sample *sample = (struct sample *)(worker->samples + worker->used_bytes);
    size_t bytes = sizeof *sample + stack_bytes;
    if (worker->used_bytes + bytes > sampler.capacity_bytes) {
        worker->lost++;
        errno = saved_errno;
        return;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sample->time_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    memcpy(sample->registers, registers, sizeof registers);
    memset(sample->frames, 0, sizeof sample->frames);
    read_frames(worker, sample->frames);
    sample->stack_bytes = stack_bytes;
    memcpy(sample + 1, stack, stack_bytes);
    worker->used_bytes += bytes;
    errno = saved_errno;
}

static int prepare(struct worker *worker, uint64_t thread, uint64_t thread_id) {
    pthread_attr_t attributes;
    void *stack;
    size_t stack_bytes;
    int error = pthread_getattr_np((pthread_t)thread, &attributes);
    if (error) return error;
    pthread_attr_getstack(&attributes, &stack, &stack_bytes);
    pthread_attr_destroy(&attributes);
    worker->stack_end = (char *)stack + stack_bytes;
    worker->stack_size_bytes = stack_bytes;
    worker->thread_id = thread_id;
    worker->samples = mmap(NULL, sampler.capacity_bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (worker->samples == MAP_FAILED) return errno;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF, .sigev_value.sival_ptr = worker};
    event.sigev_notify_thread_id = (int)thread_id;
    return timer_create(CLOCK_MONOTONIC, &event, &worker->timer) ? errno : 0;
}

// Prepares the sampling of `count` threads of this process, once; none may end before the process does. `threads` are
// their pthread_t, `thread_ids` the kernel's ids. `capacity_bytes` is the space for the samples of each. Returns 0 or an
// error number: EBUSY if it was called before or the process handles SIGPROF itself.
int ftbench_sampler_open(size_t count, const uint64_t *threads, const uint64_t *thread_ids, size_t capacity_bytes,
                         void *(*thread_state)(void), uint64_t current_frame, uint64_t previous, uint64_t executable) {
    struct sigaction now, action = {.sa_sigaction = take_sample, .sa_flags = SA_SIGINFO | SA_RESTART};
    if (sampler.workers || sigaction(SIGPROF, NULL, &now) || now.sa_handler != SIG_DFL) return EBUSY;
    sampler.workers = calloc(count, sizeof *sampler.workers);
    if (!sampler.workers) return ENOMEM;
    sampler.capacity_bytes = capacity_bytes;
    sampler.thread_state = thread_state;
    sampler.current_frame = current_frame;
    sampler.previous = previous;
    sampler.executable = executable;
    for (; sampler.count < count; sampler.count++) {
        int error = prepare(&sampler.workers[sampler.count], threads[sampler.count], thread_ids[sampler.count]);
        if (error) return error;
    }
    // No system call of the workload fails, except for waits with a timeout, which Python itself repeats (PEP 475).
    return sigaction(SIGPROF, &action, NULL) ? errno : 0;
}

// Provides memory for the next samples. Without it, on Linux before 5.14, they take a little longer.
static void make_room(const struct worker *worker) {
    size_t start = worker->used_bytes & ~(size_t)(sysconf(_SC_PAGESIZE) - 1);
    size_t left = sampler.capacity_bytes - start;
    madvise(worker->samples + start, left < READY_BYTES ? left : READY_BYTES, MADV_POPULATE_WRITE);
}

// Samples each thread once every `period_ns` from now on, or never if that is 0. Returns 0 or an error number.
int ftbench_sampler_set_period(uint64_t period_ns) {
    for (size_t i = 0; i < sampler.count; i++) {
        struct itimerspec timer = {{0, 0}, {0, 0}};
        if (period_ns) {
            make_room(&sampler.workers[i]);
            timer.it_interval.tv_sec = period_ns / 1000000000;
            timer.it_interval.tv_nsec = period_ns % 1000000000;
            // Threads are interrupted one after the other.
            timer.it_value.tv_nsec = 1 + (period_ns % 1000000000) * i / sampler.count;
        }
        if (timer_settime(sampler.workers[i].timer, 0, &timer, NULL)) return errno;
    }
    return 0;
}

// Writes all samples to a new file: for each thread its id, the number of lost samples and the size of its samples in
// bytes, all as 64-bit numbers, and the samples. Returns 0 or an error number.
int ftbench_sampler_save(const char *path) {
    FILE *file = fopen(path, "wbx");
    if (!file) return errno;
    int error = 0;
    for (size_t i = 0; i < sampler.count && !error; i++) {
        const struct worker *worker = &sampler.workers[i];
        uint64_t header[3] = {worker->thread_id, worker->lost, worker->used_bytes};
        if (fwrite(header, sizeof header, 1, file) != 1 ||
            fwrite(worker->samples, 1, worker->used_bytes, file) != worker->used_bytes)
            error = errno;
    }
    if (fclose(file) && !error) error = errno;
    return error;
}
