/*
 * Transactions with an undo journal, and the two-stage reaper. Stands for heap/journal, heap/transaction, heap/reaper,
 * heap/participants and the lock order of heap/lifetimes; how a lock is waited for is lock.pml's subject.
 *
 * The heap has one object, of two words that change together (x, y), guarded by its lock and read under a sequence; counts
 * of holds, in total (r) and for each slot (h), guarded by the roots lock; and the number of blocks in use (a), guarded by
 * the allocator lock. Each hold and each unit of x uses a block.
 *
 * Invariants:
 *   OBJECT     x == y for whoever has the object's lock, and for every read that its sequence does not reject.
 *   HOLDS      r is the sum of h for whoever has the roots lock.
 *   BLOCKS     a == r + x once all have ended and the logs of the dead are undone; then also OBJECT and HOLDS.
 *   NO WAIT    living processes never wait for each other in a ring (no invalid end state).
 *
 * Settings: DOES0..DOES2, what each process does before it reaps; ROUNDS, how often; KILLS, how many may be killed,
 * anywhere, reapers too; CUTS, how often JavaScript may be cut short (not with JOINS and LEAVES); and the
 * broken variants, which configurations.js lists.
 */

#ifndef KILLS
#define KILLS 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#define SLOTS 3

#define NOTHING 0 /* reaps only */
#define WRITES 1  /* changes the object and takes a block: object lock, then allocator */
#define MAKES 2   /* takes a hold and a block: roots lock, then allocator */
#define READS 3   /* reads the object, without the lock if it can */
#define PAGES 4   /* allocator lock only; writes the same word twice */
#define ROOTS 5   /* roots lock only; writes the same word twice */
#define JOINS 6   /* gets the slot of one that has died, and goes on with its estate */
#define LEAVES 7  /* settles its own estate and leaves */
#define ABSENT 8
#ifndef DOES0
#define DOES0 WRITES
#endif
#ifndef DOES1
#define DOES1 WRITES
#endif
#ifndef DOES2
#define DOES2 READS
#endif

/* Internal locks: 0, or the owner's token (slot and generation). */
#define D 0
#define R 1
#define A 2
byte lock[3];
#define tokenOf(slot) (((slot) + 1) * 8 + gen[slot])
#define slotIn(word) ((word) / 8 - 1)
#define genIn(word) ((word) & 7)

/* What transactions change. */
#define X 0
#define Y 1
#define TOTAL 2
#define USED 3
#define HOLDS 4 /* of slot 0, and so on */
#define heldBySlots (mem[HOLDS] + mem[HOLDS + 1] + mem[HOLDS + 2])
byte mem[7];
byte seq;

/* Slots. `gen` and `live` are one word in memory: one store changes both. */
byte gen[SLOTS];
bool live[SLOTS];
byte rolledBack[SLOTS]; /* the generation whose log has been undone */
byte holder[SLOTS];     /* who has the slot's byte, as the kernel knows it: process + 1 */
byte home[SLOTS];       /* its last owner: process + 1; no part of the protocol */

/* The undo logs. */
#define LOG 5
byte length[SLOTS];
byte logAt[15];  /* SLOTS * LOG */
byte logOld[15];

byte kills; /* still to come, at most */

/*
 * A step is one access to shared memory or one system call. Instead of any, the process may be killed, or its JavaScript
 * may be cut short (a `vm` timeout: no `finally` runs) and live on.
 */
#define STEP if :: atomic {
#define PETS } :: ENDS fi
#if CUTS > 0
byte cuts = CUTS; /* still to come, at most */
#define ENDS atomic { kills > 0 -> die() }; goto dead :: atomic { cuts > 0 -> cuts-- }; goto cutShort
#else
#define ENDS atomic { kills > 0 -> die() }; goto dead
#endif

/* The kernel lets go of the bytes of the dead. */
inline die() {
  kills--;
  holder[0] = (holder[0] == id + 1 -> 0 : holder[0]);
  holder[1] = (holder[1] == id + 1 -> 0 : holder[1]);
  holder[2] = (holder[2] == id + 1 -> 0 : holder[2]);
  forget()
}

/* Locals that mean nothing any more must not make states differ. */
inline forget() {
  slot = 0; round = 0;
  forgetWork()
}
inline forgetWork() {
  n = 0; victim = 0; heir = 0; before = 0; x = 0; y = 0; tries = 0; found = false
}

/* Beyond the length nobody reads, so what is there must not make states differ. */
inline cut(s) {
  length[s] = 0;
  for (n : 0 .. LOG - 1) { logAt[s * LOG + n] = 0; logOld[s * LOG + n] = 0 }
  n = 0
}

/* Journal.write: the old value, the length that counts it, the word. */
inline write(at, value) {
  STEP
    assert(length[slot] < LOG);
    logAt[slot * LOG + length[slot]] = at;
    logOld[slot * LOG + length[slot]] = mem[at]
  PETS;
#ifdef STORE_BEFORE_LENGTH
  STEP mem[at] = value PETS;
  STEP length[slot]++ PETS
#else
  STEP length[slot]++ PETS;
  STEP mem[at] = value PETS
#endif
}

inline commit() {
  STEP cut(slot) PETS
}

/*
 * Stage 1 of reaping: Journal.rollBack and the mark, by whoever has the byte. Takes no lock, so it may be done in the
 * middle of a transaction. Nobody else reads or writes the log of the dead.
 */
inline rollBack(s) {
  n = length[s];
#ifdef CUT_BEFORE_UNDO
  STEP length[s] = 0 PETS;
#endif
  do
  :: n > 0 ->
     STEP
       n--;
#ifdef UNDO_FORWARDS
       mem[logAt[s * LOG + length[s] - 1 - n]] = logOld[s * LOG + length[s] - 1 - n]
#else
       mem[logAt[s * LOG + n]] = logOld[s * LOG + n]
#endif
     PETS
  :: else -> break
  od;
  STEP cut(s) PETS;
  STEP rolledBack[s] = gen[s] PETS
}

/*
 * A lock is taken when it is free, or from the dead once their change is undone. Each of the three conditions stays true
 * once it is.
 */
#define isGone(w) (gen[slotIn(w)] != genIn(w) || !live[slotIn(w)] || rolledBack[slotIn(w)] == genIn(w))
#define canTake(l) (lock[l] == 0 || isGone(lock[l]))
inline take(l) {
  lock[l] = tokenOf(slot);
  assert(l != D || mem[X] == mem[Y]);         /* OBJECT */
  assert(l != R || mem[TOTAL] == heldBySlots) /* HOLDS */
}

/* Its own lock on a byte doesn't stop a process: one that was cut short may hold it still. */
#define mayReap(s) (holder[s] == 0 || holder[s] == id + 1 && s != slot)

/* InternalLocks.acquire. Waits for the living; of the dead it undoes the change, and no more. */
inline acquireSimply(l) {
  do
  :: atomic { canTake(l) -> take(l) }; break
  :: atomic {
       !canTake(l) && mayReap(slotIn(lock[l])) ->
       victim = slotIn(lock[l]);
       holder[victim] = id + 1
     };
     rollBack(victim);
     STEP holder[victim] = 0; victim = 0 PETS
  :: ENDS
  od
}

#ifdef ONE_STAGE
/* Broken: settles the whole estate where it stands, with the journal and the locks of its own transaction. */
inline acquire(l) {
  do
  :: atomic { canTake(l) -> take(l) }; break
  :: atomic {
       !canTake(l) && mayReap(slotIn(lock[l])) ->
       heir = slotIn(lock[l]);
       holder[heir] = id + 1
     };
     rollBack(heir);
     settle(heir);
     STEP gen[heir]++; live[heir] = false PETS;
     STEP holder[heir] = 0; heir = 0 PETS
  :: ENDS
  od
}
inline acquireForEstate(l) {
  if
  :: lock[l] != tokenOf(slot) -> acquireSimply(l)
  :: else
  fi
}
#else
#define acquire(l) acquireSimply(l)
#define acquireForEstate(l) acquireSimply(l)
#endif

inline release(l) {
  STEP lock[l] = 0 PETS
}

/* settleEstate: each hold goes in a transaction of its own, together with the counts that it stands for. */
inline settle(s) {
  do
  :: mem[HOLDS + s] > 0 ->
     acquireForEstate(R);
     acquireForEstate(A);
     write(HOLDS + s, mem[HOLDS + s] - 1);
     write(TOTAL, mem[TOTAL] - 1);
     write(USED, mem[USED] - 1);
     commit();
     release(A);
     release(R)
  :: else -> break
  od
}

/* Heap.lookAround and reap, outside of all transactions: both stages. */
inline reapOthers() {
  do
  :: heir < SLOTS ->
     STEP
       if
       :: heir != slot && live[heir] && mayReap(heir) -> holder[heir] = id + 1; found = true
       :: else
       fi
     PETS;
     if
     :: found ->
        rollBack(heir);
        settle(heir);
        STEP gen[heir]++; live[heir] = false PETS;
        STEP holder[heir] = 0; found = false PETS
     :: else
     fi;
     heir++
  :: else -> break
  od
}

/* takeSlot, and what Heap.join does for a joiner that inherits an estate. */
inline join() {
  STEP
    if
    :: holder[0] == 0 -> slot = 0
    :: holder[1] == 0 -> slot = 1
    :: holder[2] == 0 -> slot = 2
    fi;
    holder[slot] = id + 1;
    home[slot] = id + 1
  PETS;
  if
  :: live[slot] ->
#ifdef BUMP_BEFORE_UNDO
     STEP gen[slot]++ PETS;
     rollBack(slot);
     STEP rolledBack[slot] = 0 PETS;
#else
     rollBack(slot);
     STEP gen[slot]++ PETS;
#endif
     settle(slot)
  :: else -> STEP live[slot] = true PETS
  fi
}

inline leave() {
  settle(slot);
  STEP gen[slot]++; live[slot] = false PETS;
  STEP holder[slot] = 0 PETS
}

/* Transaction.lockObject and what #finish does with sequences. The reaper leaves an odd one to whoever has the lock next. */
#ifdef NAIVE_SEQUENCE
#define enter(seq) seq + 1
#define exit(seq) seq + 1
#else
#define enter(seq) (seq + 1) | 1
#define exit(seq) (seq + 1) & 254
#endif
inline lockObject() {
  acquire(D);
  STEP seq = enter(seq) PETS
}
inline unlockObject() {
  STEP seq = exit(seq) PETS;
  release(D)
}

inline change() {
  lockObject();
  write(X, mem[X] + 1);
  acquire(A);
  write(USED, mem[USED] + 1);
#ifdef ALLOCATOR_LET_GO_BEFORE_COMMIT
  release(A);
#endif
#ifdef COMMIT_BEFORE_LAST_STORE
  commit();
#endif
  write(Y, mem[Y] + 1);
  commit();
  STEP seq = exit(seq) PETS;
#ifndef ALLOCATOR_LET_GO_BEFORE_COMMIT
  release(A);
#endif
  release(D)
}

inline make() {
  acquire(R);
  acquire(A);
  write(HOLDS + slot, mem[HOLDS + slot] + 1);
  write(TOTAL, mem[TOTAL] + 1);
  write(USED, mem[USED] + 1);
  commit();
  release(A);
  release(R)
}

/* Writes a word twice: only the first old value may survive a roll-back. */
inline writeTwice(l, at) {
  acquire(l);
  write(at, mem[at] + 1);
  write(at, mem[at] - 1);
  commit();
  release(l)
}

/* readConsistently, with two attempts for its 64. */
inline read() {
  do
  :: tries < 2 ->
     tries++;
     STEP before = seq PETS;
     if
     :: !(before & 1) ->
        STEP x = mem[X] PETS;
        STEP y = mem[Y] PETS;
        STEP
          if
          :: seq == before -> assert(x == y); /* OBJECT */ tries = 3
          :: else
          fi
        PETS
     :: else
     fi
  :: else -> break
  od;
  if
  :: tries == 2 ->
     lockObject();
     STEP x = mem[X] PETS;
     STEP y = mem[Y] PETS;
     assert(x == y); /* OBJECT */
     commit();
     unlockObject()
  :: else
  fi;
  before = 0; x = 0; y = 0; tries = 0
}

/*
 * Transaction.settle: what was cut short is undone, and all that it took is let go of: locks, and the byte of a dead slot
 * that it was reaping. Kept, the byte would make the dead look alive to everybody else.
 */
inline settleOwn() {
  forgetWork();
  n = length[slot];
  do
  :: n > 0 -> STEP n--; mem[logAt[slot * LOG + n]] = logOld[slot * LOG + n] PETS
  :: else -> break
  od;
  STEP cut(slot) PETS;
  if
  :: lock[D] == tokenOf(slot) -> STEP seq = exit(seq) PETS
  :: else
  fi;
  for (n : 0 .. 2) {
    STEP lock[n] = (lock[n] == tokenOf(slot) -> 0 : lock[n]) PETS
  }
#ifndef CUT_SHORT_KEEPS_BYTE
  for (n : 0 .. SLOTS - 1) {
    STEP holder[n] = (n != slot && holder[n] == id + 1 -> 0 : holder[n]) PETS
  }
#endif
  n = 0
}

proctype Process(byte id; byte does; byte slot) {
  byte round, n, victim, heir, before, x, y, tries;
  bool found;

again:
  if
  :: does == ABSENT -> goto dead
  :: does == NOTHING
  :: does == WRITES -> change()
  :: does == MAKES -> make()
  :: does == READS -> read()
  :: does == PAGES -> writeTwice(A, USED)
  :: does == ROOTS -> writeTwice(R, TOTAL)
  :: does == JOINS -> join(); does = MAKES; make()
  :: does == LEAVES -> leave(); goto dead
  fi;
  reapOthers();
  if
  :: round + 1 < ROUNDS -> round++; heir = 0; goto again
  :: else -> goto dead
  fi;
#if CUTS > 0
cutShort:
  settleOwn();
  if
  :: round + 1 < ROUNDS -> round++
  :: else -> does = NOTHING /* its timer, which reaps */
  fi;
  goto again;
#endif
dead:
  atomic { forget(); does = 0 }
}

inline start(p, does) {
  gen[p] = 1;
  if
  :: does != ABSENT && does != JOINS ->
     live[p] = true;
     holder[p] = p + 1;
     home[p] = p + 1;
     mem[HOLDS + p] = 1; mem[TOTAL]++; mem[USED]++
  :: else
  fi;
  run Process(p, does, p)
}

init {
  byte n, s;
  atomic {
    /* Fewer kills too: a deadlock must not be hidden by a kill that may still come. */
    select(kills : 0 .. KILLS);
    start(0, DOES0);
    start(1, DOES1);
    start(2, DOES2)
  }
  atomic {
    _nr_pr == 1 ->
    /* The living have all ended by now; what is in a log is of the dead. */
    for (s : 0 .. SLOTS - 1) {
      assert(length[s] == 0 || holder[s] != home[s]);
      for (n : 1 .. length[s]) {
        mem[logAt[s * LOG + length[s] - n]] = logOld[s * LOG + length[s] - n]
      }
    }
    assert(mem[X] == mem[Y]);                     /* OBJECT */
    assert(mem[TOTAL] == heldBySlots);            /* HOLDS */
    assert(mem[USED] == mem[TOTAL] + mem[X])      /* BLOCKS */
  }
}
