/*
 * Joining a heap, leaving it, and sweeping one in which nobody is. Stands for heap/segment (the gate), heap/heap-sweep,
 * takeSlot of heap/participants, and heap/extents as far as files go.
 *
 * Each process joins the heap of one name, makes it if there is none, makes an extent, leaves, and sweeps.
 *
 * Invariants:
 *   ONE HEAP  whoever takes part does so in the file that has the name: never two heaps of one name, nor one without.
 *   EXTENTS   the extents that a heap counts are there as long as somebody takes part in it.
 *   NO WASTE  when all have ended, however they did, one more sweep leaves nothing.
 *
 * Settings: JOINERS; SWEEPERS, those that only sweep; KILLS, how many of all these may be killed, anywhere; and the broken
 * variants, which configurations.js lists.
 */

#ifndef KILLS
#define KILLS 1
#endif
#ifndef JOINERS
#define JOINERS 2
#endif
#ifndef SWEEPERS
#define SWEEPERS 1
#endif
#define SEGMENTS 5 /* numbers from 1 */

/*
 * Files. A segment stands for an inode, and has the number of its maker, who publishes one at most, + 1. Sets of processes
 * and of extents are bit masks. Byte locks belong to open files, of which a process has one at a time.
 */
byte path;                    /* the segment that has the name; 0 for none */
bool ending[SEGMENTS];        /* in the segment's header */
bool counted[SEGMENTS];       /* its header counts an extent */
byte extents;                 /* the files that exist: each segment has an extent of its own name */
byte gateShared[SEGMENTS];    /* who has the gate byte, shared */
byte gateExclusive[SEGMENTS]; /* or exclusively */
byte slots[SEGMENTS];         /* who has a slot's byte; there are enough of them */
byte members[SEGMENTS];       /* who takes part, by the slots' words */
#define allMembers (members[1] | members[2] | members[3] | members[4])

byte kills; /* still to come, at most */

/* A step is one access to shared memory or one system call; instead of any, the process may be killed. */
#define STEP if :: atomic {
#define PETS } :: atomic { kills > 0 -> kills--; close(); list = 0 }; goto dead fi

#define me (1 << id)
#define extentOf(segment) (1 << (segment))

/* Also by the kernel, for the dead: whatever an open file has locked is let go of. */
inline close() {
  gateShared[file] = gateShared[file] & ~me;
  gateExclusive[file] = gateExclusive[file] & ~me;
  slots[file] = slots[file] & ~me;
  members[file] = members[file] & ~me;
  file = 0
}

/* enter: goes on at `entered` with the gate held, at `again` or `endingFound` without. */
inline enter() {
  STEP
    file = path;
    if
    :: file == 0 -> goto none
    :: else
    fi
  PETS;
#ifndef NO_GATE
  STEP
    if
    :: gateExclusive[file] == 0 -> gateShared[file] = gateShared[file] | me
    :: else -> close(); goto again
    fi
  PETS;
#endif
#ifndef NO_RECHECK
  /* Who opened it before a sweeper removed it finds that out here, when no sweeper can be at work. */
  STEP
    if
    :: path == file
    :: else -> close(); goto again
    fi
  PETS;
#endif
#if !defined(NO_RECHECK) && !defined(NO_LOOK_AT_ENDING)
  /* A sweeper that was killed may have removed extents. */
  STEP
    if
    :: ending[file] -> close(); goto endingFound
    :: else -> goto entered
    fi
  PETS
#else
  goto entered
#endif
}

/* make: built without a name, which it gets in one step, if that is free, when the gate is held already. */
inline make() {
  file = id + 1;
#ifndef PUBLISH_BEFORE_GATE
  STEP gateShared[file] = gateShared[file] | me PETS;
#endif
  STEP
    if
#ifndef PUBLISH_REPLACES
    :: path != 0 -> close(); goto again
    :: else -> path = file
#else
    :: path = file
#endif
    fi
  PETS;
#ifdef PUBLISH_BEFORE_GATE
  STEP
    if
    :: gateExclusive[file] == 0 -> gateShared[file] = gateShared[file] | me
    :: else -> close(); goto again
    fi
  PETS
#endif
}

/* takeSlot and leaveGate. */
inline takePart() {
#ifdef GATE_LET_GO_BEFORE_SLOT
  STEP gateShared[file] = gateShared[file] & ~me PETS;
#endif
  STEP slots[file] = slots[file] | me PETS;
  STEP
    members[file] = members[file] | me;
    isWhole(file)
  PETS;
  STEP gateShared[file] = gateShared[file] & ~me PETS
}

inline isWhole(segment) {
  assert(path == segment && allMembers == members[segment]);      /* ONE HEAP */
  assert(!counted[segment] || (extents & extentOf(segment)) != 0) /* EXTENTS */
}

/* growHeap: the file first, then the count. */
inline grow() {
  if
  :: !counted[file] ->
     STEP extents = extents | extentOf(file) PETS;
     STEP counted[file] = true; isWhole(file) PETS
  :: else
  fi
}

/* Participant.leave */
inline leave() {
  STEP isWhole(file); members[file] = members[file] & ~me PETS;
  STEP close() PETS
}

inline removeListed() {
  do
  :: list != 0 ->
     STEP
       n = 1;
       do
       :: (list & extentOf(n)) == 0 -> n++
       :: else -> break
       od;
       extents = extents & ~extentOf(n);
       assert(members[n] == 0 || !counted[n]); /* EXTENTS */
       list = list & ~extentOf(n);
       n = 0
     PETS
  :: else -> break
  od
}

inline removeSegment() {
  STEP
    assert(members[path] == 0); /* ONE HEAP */
    path = 0
  PETS
}

/* sweepHeap */
inline sweep() {
  STEP file = path PETS;
  if
  :: file == 0 ->
     /* Extents without a segment. Listed before the look, they are of the past, whatever appears now. */
#ifndef LIST_AFTER_LOOK
     STEP list = extents PETS;
#endif
     STEP
       if
       :: path != 0 -> list = 0; goto swept
       :: else
       fi
     PETS;
#ifdef LIST_AFTER_LOOK
     STEP list = extents PETS;
#endif
     removeListed()
  :: else ->
#ifndef NO_GATE
     STEP
       if
       :: gateShared[file] == 0 && gateExclusive[file] == 0 -> gateExclusive[file] = me
       :: else -> close(); goto swept
       fi
     PETS;
#endif
     STEP
       if
       :: slots[file] != 0 -> close(); goto swept
       :: else
       fi
     PETS;
#ifndef NO_COMPARISON
     /* What follows removes by name, so the name must be this file's still. */
     STEP
       if
       :: path != file -> close(); goto swept
       :: else
       fi
     PETS;
#endif
     STEP ending[file] = true PETS;
#ifdef SEGMENT_BEFORE_EXTENTS
     removeSegment();
#endif
#ifdef REMOVES_WHAT_COUNTS
     STEP list = (counted[file] -> extents : 0) PETS;
#else
     STEP list = extents PETS;
#endif
     removeListed();
#ifndef SEGMENT_BEFORE_EXTENTS
     removeSegment();
#endif
     STEP close() PETS
  fi
}

proctype Process(byte id; bool joins) {
  byte file, list, n;
  bool done;

  if
  :: !joins -> goto lastSweep
  :: else
  fi;
again:
  if
  :: true
  :: goto dead /* has waited for long enough */
  fi;
  enter();
none:
  make();
entered:
  takePart();
  grow();
  leave();
  done = true;
endingFound:
lastSweep:
  sweep();
swept:
  if
  :: joins && !done -> goto again
  :: else
  fi;
dead:
  atomic { joins = false; done = false }
}

init {
  byte p;
  atomic {
    for (p : 0 .. JOINERS + SWEEPERS - 1) {
      run Process(p, p < JOINERS)
    }
    kills = KILLS
  }
  atomic { _nr_pr == 1 -> kills = 0; run Process(SEGMENTS - 1, false) }
  atomic { _nr_pr == 1 -> assert(path == 0 && extents == 0) } /* NO WASTE */
}
