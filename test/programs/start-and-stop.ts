// The shortest life of a process of this library: it joins, sweeps, leaves.
import { SharedMemory } from 'multiprocess';

using block = SharedMemory.create(1);
block.buf[0] = 1;
