/*
 * A lock between processes, and what becomes of it when they die. Stands for synchronize/lock-word and for
 * heap/internal-lock (the same word without reservations); deaths are settled as in heap/participants and heap/reaper.
 *
 * Invariants:
 *   EXCLUSION  nobody takes the lock while a living process has it.
 *   UNDONE     whoever takes it finds what it guards as it was before or after each owner's change, never within one, and
 *              no roll-back comes later.
 *   AWAKE      living processes never wait for ever: no invalid end state, and no fair cycle (pan -l -f).
 *
 * Settings: KIND0..KIND3, what each process does; ROUNDS, how often; KILLS, how many of them may be killed; NO_SLICE,
 * sleepers wake only when they are woken; and the broken variants, which configurations.js lists.
 */

#ifndef KILLS
#define KILLS 1
#endif
#define PROCESSES 4
#define SLOTS 3

#define WAITS 0    /* takes the lock, however long that takes */
#define GIVES_UP 1 /* as WAITS, but has a deadline, which may come at any time */
#define TRIES 2    /* tries once */
#define JOINS 3    /* as WAITS, but first gets the slot of one that has left or died */
#define ABSENT 4
#ifndef KIND0
#define KIND0 WAITS
#endif
#ifndef KIND1
#define KIND1 WAITS
#endif
#ifndef KIND2
#define KIND2 ABSENT
#endif
#ifndef KIND3
#define KIND3 JOINS
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif

/* The word: the owner's token (slot and generation; 0 for none) and two bits. */
#define TOKEN 31
#define RESERVED 32
#define WAITERS 64
#define tokenOf(slot) (((slot) + 1) * 8 + gen[slot])
#define slotIn(word) (((word) & TOKEN) / 8 - 1)
#define genIn(word) ((word) & 7)
byte word;
#define isFree ((word & TOKEN) == 0)

/* Slots. `gen` and `live` are one word in memory: one store changes both. */
byte gen[SLOTS];
bool live[SLOTS];
byte rolledBack[SLOTS]; /* the generation whose log has been undone */
byte holder[SLOTS];     /* who has the slot's byte, as the kernel knows it: process + 1 */

/* What the lock guards: a change takes two stores, and the log says how to undo the first. */
bool torn;
bool logged[SLOTS];

bool asleep[PROCESSES]; /* in the kernel's queue of the word */
byte inside;            /* the living process that has the lock, + 1; no part of the protocol */
byte kills;             /* still to come, at most */

/*
 * A step is one access to shared memory or one system call; instead of any, the process may be killed. Load, decision and
 * compare-and-exchange are one step together: an exchange that fails changes nothing and is tried again.
 */
#define STEP if :: atomic {
#define PETS } :: atomic { kills > 0 -> die() }; goto dead fi

/* The kernel lets go of the bytes of the dead and takes them out of its queue. */
inline die() {
  kills--;
  holder[0] = (holder[0] == id + 1 -> 0 : holder[0]);
  holder[1] = (holder[1] == id + 1 -> 0 : holder[1]);
  holder[2] = (holder[2] == id + 1 -> 0 : holder[2]);
  asleep[id] = false;
  inside = (inside == id + 1 -> 0 : inside);
  forget()
}

/* Locals that mean nothing any more must not make states differ. */
inline forget() {
  slot = 0; round = 0; victim = 0; seen = 0; slept = false; patient = false; last = false; sliced = false
}

/*
 * Participant.isGone: the owner will never write or release again, and its change is undone. Each of the three conditions
 * stays true once it is, so reading them one after the other is as good as reading them in the step that uses them.
 */
#define isUndone(w) (gen[slotIn(w)] != genIn(w) || !live[slotIn(w)] || rolledBack[slotIn(w)] == genIn(w))
#ifdef ROB_WITHOUT_ROLLBACK
#define isGone(w) (isUndone(w) || holder[slotIn(w)] == 0)
#else
#define isGone(w) isUndone(w)
#endif

/* Journal.rollBack and the mark, by whoever has the byte. Takes no lock. */
inline rollBack(s) {
  STEP
    if
    :: logged[s] -> torn = false
    :: else
    fi
  PETS;
  STEP logged[s] = false PETS;
  STEP rolledBack[s] = gen[s] PETS
}

/* Participant.isGone with a probe: a dead owner is reaped, by whoever gets the byte of its slot. */
inline look() {
  STEP
    if
    :: !isFree && !isUndone(word) && holder[slotIn(word)] == 0 ->
       victim = slotIn(word) + 1;
       holder[victim - 1] = id + 1
    :: else
    fi
  PETS;
#ifdef REAP_WITHOUT_BYTE
  if
  :: victim > 0 -> STEP holder[victim - 1] = 0 PETS
  :: else
  fi;
#endif
  if
  :: victim > 0 ->
     /* Looked at again under the byte: others may have been faster. */
     STEP
       if
       :: !live[victim - 1] -> goto letGo
       :: else
       fi
     PETS;
     rollBack(victim - 1);
     if
     :: true /* in the middle of a transaction: it may do no more than stage 1 */
     :: true -> STEP gen[victim - 1]++; live[victim - 1] = false PETS
     fi;
letGo:
     STEP
#ifndef REAP_WITHOUT_BYTE
       holder[victim - 1] = 0;
#endif
       victim = 0
     PETS
  :: else
  fi
}

/* takeSlot: what the last owner of the slot has left is undone before the slot gets its next generation. */
inline join() {
  STEP
    if
    :: holder[0] == 0 -> slot = 0
    :: holder[1] == 0 -> slot = 1
    :: holder[2] == 0 -> slot = 2
    fi;
    holder[slot] = id + 1
  PETS;
  if
  :: live[slot] ->
#ifndef JOIN_WITHOUT_ROLLBACK
     rollBack(slot);
#endif
#ifndef JOIN_KEEPS_GENERATION
     STEP gen[slot]++ PETS
#endif
  :: else -> STEP live[slot] = true PETS
  fi
}

inline wakeOne() {
  if
  :: asleep[0] -> asleep[0] = false
  :: asleep[1] -> asleep[1] = false
  :: asleep[2] -> asleep[2] = false
  :: asleep[3] -> asleep[3] = false
  :: !(asleep[0] || asleep[1] || asleep[2] || asleep[3])
  fi
}

/*
 * Who has slept can't know whether others sleep still, so it takes the word with WAITERS set; everybody keeps a WAITERS
 * that is there, and clears the reservation.
 */
#ifdef WOKEN_FORGETS_WAITERS
#define mark 0
#else
#define mark (slept -> WAITERS : 0)
#endif
#ifdef TRY_FORGETS_WAITERS
#define kept (kind == TRIES -> 0 : word & WAITERS)
#else
#define kept (word & WAITERS)
#endif
inline take() {
  assert(inside == 0); /* EXCLUSION */
  assert(!torn);       /* UNDONE */
  inside = id + 1;
  word = tokenOf(slot) | mark | kept;
  slept = false; patient = false; last = false
}

/* LockWord.takeSync and, for TRIES, attempt alone. */
inline acquire() {
  STEP
    if
    :: isFree && (!(word & RESERVED) || slept || patient || kind == TRIES) -> take(); goto taken
    :: !isFree && isGone(word) -> take(); goto taken
    :: else
    fi;
    if
    :: kind == TRIES -> goto leave
    :: last -> goto giveUp
    :: kind != TRIES && !last && isFree -> seen = word
    :: kind != TRIES && !last && !isFree
    fi
  PETS;
  if
  :: seen > 0 ->
     /* Reserved for another: stands back once, for as long or short as time happens to be. */
#ifdef NAP_ON_WORD
     STEP
       if
       :: word == seen -> asleep[id] = true
       :: else
       fi
     PETS;
#endif
#ifdef STAND_BACK_FOR_EVER
     STEP word != seen -> seen = 0 PETS;
#else
     STEP asleep[id] = false; patient = true; seen = 0 PETS;
#endif
     goto wantMore
  :: else
  fi;
  /* LockWord.prepareSleep */
  STEP
    if
    :: isFree -> goto again
    :: else
    fi;
    if
    :: word = word | WAITERS
    :: word = word | WAITERS | RESERVED /* has waited for long */
    fi;
    seen = word
  PETS;
  /* futexWait: the kernel compares and queues in one step. */
  STEP
    if
    :: word == seen -> asleep[id] = true
    :: else
    fi;
    seen = 0
  PETS;
  STEP
    if
    :: !asleep[id]
    :: kind == GIVES_UP && asleep[id] -> asleep[id] = false; last = true
#ifndef NO_SLICE
    :: asleep[id] -> asleep[id] = false; sliced = true
#endif
    fi;
    slept = true
  PETS;
  if
  :: sliced ->
     sliced = false;
#ifndef NEVER_LOOKS
     look()
#endif
  :: else
  fi;
wantMore:
  if
  :: kind == GIVES_UP -> last = true
  :: true
  fi;
  goto again;
giveUp:
  /* LockWord.passOn: the wake-up may have been for this one alone. */
#ifdef KEEPS_WAKE_UP
  skip;
#else
  if
  :: slept -> STEP wakeOne() PETS
  :: else
  fi;
#endif
  goto leave
}

/* A change under the lock, undone if it is cut short. */
inline change() {
  STEP logged[slot] = true PETS;
  STEP torn = true PETS;
  STEP assert(torn); /* UNDONE: by nobody else's roll-back */ torn = false PETS;
  STEP logged[slot] = false PETS
}

/* LockWord.release. Reserved, the word stays marked, so that newcomers see it. */
inline release() {
  STEP
    assert((word & TOKEN) == tokenOf(slot)); /* EXCLUSION: it has not been taken away */
    inside = 0;
    if
    :: !(word & WAITERS) -> word = 0; goto released
    :: (word & WAITERS) && !(word & RESERVED) -> word = 0
    :: (word & WAITERS) && (word & RESERVED) -> word = RESERVED | WAITERS
    fi
  PETS;
  STEP wakeOne() PETS /* killed before this, it leaves sleepers to their slices */
}

proctype Process(byte id; byte kind; byte slot) {
  byte victim, seen, round;
  bool slept, patient, last, sliced;

  if
  :: kind == ABSENT -> goto dead
  :: kind == JOINS -> join()
  :: else
  fi;
again:
  acquire();
taken:
  change();
  release();
released:
  if
  :: round + 1 < ROUNDS -> round++; goto again
  :: else
  fi;
leave:
  STEP gen[slot]++; live[slot] = false PETS;
  STEP holder[slot] = 0 PETS;
dead:
  atomic { forget(); kind = 0 }
}

inline start(p, kind) {
  gen[p] = 1;
  live[p] = kind != ABSENT;
  holder[p] = p + 1; /* with ABSENT, that of somebody who takes no lock */
  run Process(p, kind, p)
}

init {
  atomic {
    /* Fewer kills too: a deadlock must not be hidden by a kill that may still come. */
    select(kills : 0 .. KILLS);
    start(0, KIND0);
    start(1, KIND1);
    start(2, KIND2);
    run Process(3, KIND3, 0)
  }
}
