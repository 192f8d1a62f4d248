#include "trainer/gang.h"

#include "base/mem.h"
#include "pipeline/comm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	GANG_PAGE = 4096,
	GANG_SPIN = 3000,       /* about 100 µs: most waits of balanced ranks are shorter than a futex's two switches */
	GANG_NAP_MS = 100,      /* a sleeper looks for itself this often, should a wake-up be lost with its sender */
};
static const uint64_t gang_magic = 0x676e61676e726575;

/* One cache line a rank, so that beats do not slow each other. */
struct place {
	_Alignas(64) _Atomic uint64_t beats;
	_Atomic uint32_t waiting;
};

struct head {
	uint64_t magic, size, region;
	uint32_t ranks;
	_Alignas(64) _Atomic uint32_t broken;
	_Atomic uint32_t stop, held;
	_Alignas(64) _Atomic uint32_t arrived;
	_Alignas(64) _Atomic uint32_t phase; /* futex; grows by one each time all have arrived */
	_Atomic uint32_t sleepers;
	struct place places[COMM_RANKS_MAX];
};

struct gang {
	struct head *head;
	size_t size;
	int fd; /* -1: attached */
	unsigned spin;
};

static uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

static uint64_t head_size(void) { return round_up(sizeof(struct head), GANG_PAGE); }

/* With more ranks than processors, spinning only keeps the others from arriving. */
static unsigned spin_count(unsigned ranks)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	bool enough = sched_getaffinity(0, sizeof set, &set) == 0 && (unsigned)CPU_COUNT(&set) >= ranks;
	return enough ? GANG_SPIN : 0;
}

static bool gang_map(int fd, size_t size, struct gang **out, struct err *e)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p == MAP_FAILED) return err_errno(e, "mapping the gang's shared memory");
	madvise(p, size, MADV_HUGEPAGE);
	*out = mem_zalloc(1, sizeof **out);
	**out = (struct gang){.head = p, .size = size, .fd = -1};
	return true;
}

bool gang_create(unsigned ranks, uint64_t memory_max, struct gang **out, struct err *e)
{
	CHECK(ranks > 0 && ranks <= COMM_RANKS_MAX);
	uint64_t region = round_up(memory_max, GANG_PAGE);
	uint64_t size = head_size() + 2 * (uint64_t)GANG_MAIL_HALF + 2 * region;
	int fd = memfd_create("quern-gang", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) return err_errno(e, "making the gang's shared memory");
	struct gang *g;
	if (ftruncate(fd, (off_t)size) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
		err_errno(e, "sizing the gang's shared memory");
		close(fd);
		return false;
	}
	if (!gang_map(fd, size, &g, e)) {
		close(fd);
		return false;
	}
	g->fd = fd;
	g->head->magic = gang_magic;
	g->head->size = size;
	g->head->region = region;
	g->head->ranks = ranks;
	*out = g;
	return true;
}

bool gang_attach(int fd, struct gang **out, struct err *e)
{
	struct stat st;
	struct gang *g;
	if (fstat(fd, &st) != 0) return err_errno(e, "the gang's shared memory");
	if ((uint64_t)st.st_size < head_size())
		return err_set(e, ERR_internal, "the gang's shared memory is cut short");
	if (!gang_map(fd, (size_t)st.st_size, &g, e)) return false;
	const struct head *h = g->head;
	if (h->magic != gang_magic || h->size != g->size || h->ranks == 0 || h->ranks > COMM_RANKS_MAX) {
		gang_destroy(g);
		return err_set(e, ERR_internal, "the gang's shared memory is not one");
	}
	g->spin = spin_count(h->ranks);
	*out = g;
	return true;
}

void gang_destroy(struct gang *g)
{
	if (!g) return;
	munmap(g->head, g->size);
	if (g->fd >= 0) close(g->fd);
	mem_free(g);
}

int gang_fd(const struct gang *g) { return g->fd; }

unsigned gang_ranks(const struct gang *g) { return g->head->ranks; }

struct gang_room gang_room(const struct gang *g)
{
	char *mail = (char *)g->head + head_size();
	char *leaves = mail + 2 * (size_t)GANG_MAIL_HALF;
	return (struct gang_room){
		.mail = mail,
		.leaves = leaves,
		.vectors = leaves + g->head->region,
		.leaves_size = g->head->region,
		.vectors_size = g->head->region,
	};
}

uint64_t gang_bytes(const struct gang *g)
{
	struct stat st;
	return fstat(g->fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/* --- Flags ------------------------------------------------------------------------------------------------------- */

static void wake_all(struct head *h) { syscall(SYS_futex, &h->phase, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0); }

void gang_break(struct gang *g)
{
	atomic_store(&g->head->broken, 1);
	wake_all(g->head);
}

bool gang_broken(const struct gang *g) { return atomic_load_explicit(&g->head->broken, memory_order_relaxed); }

void gang_stop(struct gang *g) { atomic_store(&g->head->stop, 1); }

bool gang_stop_asked(const struct gang *g) { return atomic_load_explicit(&g->head->stop, memory_order_relaxed); }

void gang_hold(struct gang *g, bool held) { atomic_store(&g->head->held, held); }

bool gang_must_stop(const struct gang *g)
{
	return gang_broken(g) ||
	       (gang_stop_asked(g) && !atomic_load_explicit(&g->head->held, memory_order_relaxed));
}

void gang_beat(struct gang *g, unsigned rank)
{
	/* Only this rank writes its beats. */
	_Atomic uint64_t *beats = &g->head->places[rank].beats;
	atomic_store_explicit(beats, atomic_load_explicit(beats, memory_order_relaxed) + 1, memory_order_relaxed);
}

uint64_t gang_beats(const struct gang *g, unsigned rank)
{
	return atomic_load_explicit(&g->head->places[rank].beats, memory_order_relaxed);
}

bool gang_waiting(const struct gang *g, unsigned rank)
{
	return atomic_load_explicit(&g->head->places[rank].waiting, memory_order_relaxed);
}

/* --- Barrier ----------------------------------------------------------------------------------------------------- */

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* Sleeps until the phase is another. The order matters: a sleeper counts itself, then the kernel compares the phase;
 * the last to arrive moves the phase, then looks for sleepers. One of the two always sees the other. */
static void sleep_out(struct gang *g, uint32_t phase)
{
	struct head *h = g->head;
	struct timespec nap = {.tv_nsec = GANG_NAP_MS * 1000000L};
	atomic_fetch_add(&h->sleepers, 1);
	while (atomic_load(&h->phase) == phase && !atomic_load(&h->broken))
		syscall(SYS_futex, &h->phase, FUTEX_WAIT, phase, &nap, NULL, 0);
	atomic_fetch_sub(&h->sleepers, 1);
}

static void wait_out(struct gang *g, uint32_t phase)
{
	for (unsigned i = 0; i < g->spin; i++) {
		if (atomic_load_explicit(&g->head->phase, memory_order_acquire) != phase) return;
		relax();
	}
	sleep_out(g, phase);
}

bool gang_barrier(struct gang *g, unsigned rank)
{
	struct head *h = g->head;
	gang_beat(g, rank);
	if (gang_broken(g)) return false;
	uint32_t phase = atomic_load(&h->phase);
	if (atomic_fetch_add(&h->arrived, 1) + 1 == h->ranks) {
		atomic_store(&h->arrived, 0);
		atomic_store(&h->phase, phase + 1);
		if (atomic_load(&h->sleepers)) wake_all(h);
	} else {
		struct place *p = &h->places[rank];
		atomic_store_explicit(&p->waiting, 1, memory_order_relaxed);
		wait_out(g, phase);
		atomic_store_explicit(&p->waiting, 0, memory_order_relaxed);
	}
	return atomic_load(&h->phase) != phase;
}
