/*
 * A condition variable between processes, and what becomes of its notifications when they die.
 *
 * The user's lock is a robust mutex here (lock.pml), and a transaction takes effect in one step under the condition's
 * internal lock and is committed in another: between the two it can be seen by who reads without the lock, and is undone
 * when its maker is killed (journal.pml). The list's links are left out: a list is what the transactions make of it.
 *
 * Whoever waits has a node, WAITING or GRANTED, and sleeps on a futex word of its own beside it. That one is in no log: it
 * is bumped once the grant can be seen, and what is undone leaves it as it is. Nobody stores into a node, or beside it, but
 * in a transaction: nodes of the dead are freed by others, at any time.
 *
 * Invariants:
 *   EXACT    each notification that found a waiter is at one GRANTED node, or was consumed by one wait that returned true,
 *            or found nobody to go to when its waiter died or gave up. So none is lost, and none counts twice.
 *   ORDER    GRANTED nodes come before WAITING ones: first come, first served.
 *   WHOLE    the count is the length of the list.
 *   OWNED    a wait ends with the lock, and without a notification only for who has a deadline or a signal.
 *   SEEN     who has called wait with the lock is seen by each notify that comes later.
 *   AWAKE    when nothing can move any more, all who live sleep in a wait that nobody has notified, or have ended; then
 *            nothing is owed (no invalid end state).
 *
 * Settings: KIND0..KIND3, what each process does; ROUNDS, how often; KILLS, how many of them may be killed, reapers too;
 * NO_SLICE, sleepers wake only when they are woken; and the broken variants, which configurations.js lists.
 */

#ifndef KILLS
#define KILLS 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#define PROCESSES 4

#define WAITS 0    /* waits for a notification, however long that takes */
#define TIMED 1    /* waits, with a deadline that may come at any time */
#define ABORTS 2   /* waits, with a signal that may come at any time: then it passes on what it has got */
#define NOTIFIES 3 /* notifies one */
#define NOTIFIES_TWO 4
#define REAPS 5 /* looks after the dead */
#define ABSENT 6
#ifndef KIND0
#define KIND0 WAITS
#endif
#ifndef KIND1
#define KIND1 WAITS
#endif
#ifndef KIND2
#define KIND2 NOTIFIES
#endif
#ifndef KIND3
#define KIND3 NOTIFIES
#endif

#define NONE 0
#define WAITING 1
#define GRANTED 2

/* The condition: its list, of processes + 1, in order. */
byte list[PROCESSES];
byte count;
byte node[PROCESSES];
byte word[PROCESSES]; /* how often each node's futex word has been bumped */
byte owed; /* notifications that are neither consumed nor dropped; no part of the protocol */

/* Its undo log: the same, as it was before the transaction that is open. */
byte oldList[PROCESSES];
byte oldCount;
byte oldNode[PROCESSES];
byte oldOwed;

byte lock;     /* the user's: the process that has it + 1; 0 for none */
byte internal; /* the condition's own */
bool asleep[PROCESSES];
bool isDead[PROCESSES];
bool inWait[PROCESSES]; /* has called wait, and got no answer yet; no part of the protocol */
bool ended[PROCESSES];
bool rest; /* nothing can move any more */
byte kills; /* still to come, at most */

#define STEP if :: atomic {
#define PETS } :: DIES fi
#define DIES atomic { kills > 0 -> die() }; goto dead

inline die() {
  kills--;
  isDead[id] = true;
  asleep[id] = false;
  inWait[id] = false;
  forget()
}

/* Locals that mean nothing any more must not make states differ. */
inline forget() {
  round = 0; n = 0; m = 0; wake = 0; over = false; seen = 0
}

/* Its body takes effect at once, and is still undone if the process is killed before the commit. */
#define TRANSACTION do :: atomic { internal == 0 -> internal = id + 1; save();
#define COMMIT ; n = 0; m = 0 }; break :: undo() :: DIES od; bumpThem(); STEP commit(); n = 0 PETS

inline save() {
  for (n : 0 .. PROCESSES - 1) { oldList[n] = list[n]; oldNode[n] = node[n] }
  oldCount = count; oldOwed = owed; n = 0
}
inline commit() {
  isWhole();
  for (n : 0 .. PROCESSES - 1) {
    oldList[n] = 0; oldNode[n] = 0;
    word[n] = (node[n] == NONE -> 0 : word[n]) /* means nothing any more; the next node's begins at 0 */
  }
  oldCount = 0; oldOwed = 0; internal = 0; n = 0
}
/* Before the commit, when the nodes are there for certain. The order between the nodes does not matter: one step. */
inline bumpThem() {
  if
  :: wake != 0 ->
     STEP
       for (n : 0 .. PROCESSES - 1) {
         if
         :: wake & (1 << n) ->
#ifdef BUMPS_FIRST
            node[n] = GRANTED
#else
            word[n]++
#endif
         :: else
         fi
       };
       n = 0
     PETS
  :: wake == 0
  fi
}
/* By whoever meets the lock of somebody dead. */
inline undo() {
  atomic {
    internal != 0 && isDead[internal - 1] ->
    for (n : 0 .. PROCESSES - 1) { list[n] = oldList[n]; node[n] = oldNode[n] }
    count = oldCount; owed = oldOwed;
    commit()
  }
}

inline isWhole() {
  m = 0;
  for (n : 0 .. PROCESSES - 1) {
    if
    :: list[n] == 0 -> assert(n >= count) /* WHOLE */
    :: list[n] != 0 ->
       assert(n < count); /* WHOLE */
       if
       :: node[list[n] - 1] == GRANTED -> assert(n == 0 || node[list[n - 1] - 1] == GRANTED) /* ORDER */; m++
       :: else -> assert(node[list[n] - 1] == WAITING) /* WHOLE */
       fi
    fi
  }
  assert(owed == m); /* EXACT */
  m = 0
}

/* Within transactions. */
inline append() {
  list[count] = id + 1;
  count++;
  node[id] = WAITING
}
inline remove(p) {
  n = 0;
  do
  :: list[n] != p + 1 -> n++
  :: else -> break
  od;
  do
  :: n + 1 < PROCESSES -> list[n] = list[n + 1]; n++
  :: else -> break
  od;
  list[PROCESSES - 1] = 0;
  count--;
  node[p] = NONE
}
/* The next one gets a notification; m tells whether there is one. */
inline grant() {
  n = 0; m = 0;
  do
  :: n < count && node[list[n] - 1] == GRANTED -> n++
  :: else -> break
  od;
  if
  :: n < count ->
#ifdef BUMPS_FIRST
     word[list[n] - 1]++;
#else
     node[list[n] - 1] = GRANTED;
#endif
     wake = wake | (1 << (list[n] - 1)); m = 1
  :: else
  fi
}
/* Of who dies or gives up; if nobody waits, it is as if there had been nobody to notify. */
inline passOn() {
  grant();
  owed = owed - (1 - m)
}

/* futexWake, which stores nothing, so that the node may be gone by now. Killed before, it leaves sleepers to their slices. */
inline wakeIt(p) {
  STEP
#ifdef BUMP_AFTER_COMMIT
    /* A store into a node, which must be there. */
    assert(node[p] != NONE);
#endif
    asleep[p] = false;
    wake = wake & ~(1 << p)
  PETS
}

inline wakeThem() {
  do
  :: wake & 1 -> wakeIt(0)
  :: wake & 2 -> wakeIt(1)
  :: wake & 4 -> wakeIt(2)
  :: wake & 8 -> wakeIt(3)
  :: wake == 0 -> break
  od
}
inline acquire() {
  do
  :: atomic { lock == 0 || isDead[lock - 1] && internal != lock -> lock = id + 1 }; break
  :: undo()
  :: DIES
  od
}
inline release() {
  STEP assert(lock == id + 1); lock = 0 PETS
}

#define isLeft(p) (isDead[p] && node[p] != NONE)
#define anyLeft (isLeft(0) || isLeft(1) || isLeft(2) || isLeft(3))

/* A node of somebody dead, in a transaction of its own. Without the user's lock, and by any number of reapers. */
inline reap() {
  TRANSACTION
    if
    :: isLeft(0) -> seen = 0
    :: isLeft(1) -> seen = 1
    :: isLeft(2) -> seen = 2
    :: isLeft(3) -> seen = 3
    :: !anyLeft -> seen = PROCESSES
    fi;
    if
    :: seen < PROCESSES ->
       m = node[seen];
       remove(seen);
       if
       :: m == GRANTED ->
#ifndef REAPER_KEEPS_GRANT
          passOn()
#else
          skip
#endif
       :: else
       fi
    :: else
    fi;
    seen = 0
  COMMIT;
  wakeThem()
}

#if defined(TRUSTS_LOOK) || defined(REMOVES_BEFORE_LOCK) || defined(READS_BEFORE_REMOVAL)
#define answered seen
#else
#define answered node[id]
#endif
/* True for who is GRANTED when its node goes, whatever its deadline says. */
inline answer() {
  if
#ifdef FALSE_WITHOUT_DEADLINE
  :: answered == WAITING -> assert(over); /* OWNED */ remove(id)
#else
  :: answered == WAITING && over -> remove(id)
  :: answered == WAITING && !over
#endif
  :: answered == GRANTED && kind == ABORTS && over ->
     remove(id);
#ifndef ABORT_SWALLOWS
     passOn()
#endif
  :: answered == GRANTED && !(kind == ABORTS && over) -> remove(id); owed--
  fi
}

/* Called with the lock. */
inline wait() {
  inWait[id] = true;
#ifdef RELEASES_FIRST
  release();
#endif
  TRANSACTION append() COMMIT;
#ifndef RELEASES_FIRST
  release();
#endif
sleep:
  /* Looks without the internal lock: so what it sees may yet be undone. Then it sleeps on the word from before the look. */
  STEP seen = word[id] PETS;
  STEP
    if
    :: node[id] == WAITING && !over
    :: else -> seen = node[id]; goto awake
    fi
  PETS;
  STEP
#ifdef NO_COMPARISON
    asleep[id] = true
#else
    asleep[id] = (word[id] == seen)
#endif
    ;
    seen = 0
  PETS;
  if
  :: !asleep[id]
  :: atomic { asleep[id] && kind != WAITS -> asleep[id] = false; over = true }
#ifndef NO_SLICE
  /* A slice that finds nothing changes nothing. */
  :: atomic { asleep[id] && (node[id] != WAITING || anyLeft) -> asleep[id] = false }; reap()
#endif
  :: asleep[id] && rest -> goto finish
  :: DIES
  fi;
  goto sleep;
awake:
#ifdef REMOVES_BEFORE_LOCK
  TRANSACTION answer(); inWait[id] = false COMMIT;
  acquire();
#else
  acquire();
#ifdef READS_BEFORE_REMOVAL
  TRANSACTION seen = node[id] COMMIT;
#endif
  TRANSACTION answer() COMMIT;
#endif
  /* What was seen has been undone: its maker was killed before the commit. */
  if
  :: node[id] != NONE -> seen = 0; release(); goto sleep
  :: else
  fi;
  assert(lock == id + 1); /* OWNED */
  wakeThem();
  atomic { inWait[id] = false; over = false; seen = 0 }
}

/* Called with the lock. */
inline notify(most) {
#ifdef GRANTS_OUTSIDE
  STEP grant(); n = 0; m = 0 PETS;
  TRANSACTION
    for (n : 0 .. PROCESSES - 1) { owed = owed + ((wake >> n) & 1) }
  COMMIT;
#else
  TRANSACTION
    for (n : 0 .. PROCESSES - 1) { assert(!inWait[n] || node[n] != NONE) /* SEEN */ }
    grant();
    owed = owed + m;
    if
    :: most == 2 -> grant(); owed = owed + m
    :: else
    fi
  COMMIT;
#endif
  wakeThem()
}

proctype Process(byte id; byte kind) {
  byte round, n, m, wake, seen;
  bool over;

again:
  if
  :: kind == ABSENT -> goto finish
  :: kind == REAPS -> goto reaping
  :: else
  fi;
  acquire();
  if
  :: kind <= ABORTS -> wait()
  :: kind == NOTIFIES -> notify(1)
  :: kind == NOTIFIES_TWO -> notify(2)
  fi;
  release();
  if
  :: round + 1 < ROUNDS -> round++; goto again
  :: else -> goto finish
  fi;
reaping:
  do
  :: anyLeft -> reap()
  :: rest -> goto finish
  :: DIES
  od;
finish:
  atomic { ended[id] = true; forget() }
dead:
  atomic { kind = 0 }
}

#define restsOrIsGone(p, kind) (ended[p] || isDead[p] || asleep[p] && node[p] == WAITING || kind == REAPS)

init {
  byte n, m, wake;
  atomic {
    /* Fewer kills too: a deadlock must not be hidden by a kill that may still come. */
    select(kills : 0 .. KILLS);
    run Process(0, KIND0);
    run Process(1, KIND1);
    run Process(2, KIND2);
    run Process(3, KIND3)
  }
  atomic {
    timeout && restsOrIsGone(0, KIND0) && restsOrIsGone(1, KIND1) && restsOrIsGone(2, KIND2) && restsOrIsGone(3, KIND3) ->
    rest = true
  }
  /* What nobody was left to do. */
  atomic {
    _nr_pr == 1;
    if
    :: internal != 0 ->
       for (n : 0 .. PROCESSES - 1) { list[n] = oldList[n]; node[n] = oldNode[n] }
       count = oldCount; owed = oldOwed; internal = 0
    :: else
    fi;
    isWhole();
    for (wake : 0 .. PROCESSES - 1) {
      if
      :: node[wake] == NONE -> skip
      :: node[wake] == GRANTED -> assert(isDead[wake]); owed--
      :: node[wake] == WAITING
      fi
    }
    assert(owed == 0) /* AWAKE */
  }
}
