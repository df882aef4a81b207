// Four processes change the properties of a namespace. Reading and writing back are two steps, so they do it in `transact`:
// others see all of it or nothing, and no count is lost. The counter ends as 4, always.
import { isMainProcess, type ListProxy, Manager, Process, transact } from 'multiprocess';

interface State {
  counter: number;
  messages: ListProxy<string>;
  [status: string]: unknown;
}

export function updateNamespace(state: State, id: number): void {
  transact(state, () => {
    state.counter += 1;
    state[`worker_${id}_status`] = 'completed';
  });
  state.messages.append(`Message from worker ${id}`); // one step by itself
}

if (isMainProcess) {
  await using manager = await Manager();
  const state = manager.Namespace<State>({ counter: 0, messages: manager.list<string>() });

  const processes = [0, 1, 2, 3].map((id) => new Process({ target: updateNamespace, args: [state, id] }));
  for (const process of processes) process.start();
  for (const process of processes) await process.result();

  console.log(`Counter: ${state.counter}`);
  console.log('Messages:', [...state.messages].sort());
  for (const name of Object.keys(state).sort()) {
    if (name.startsWith('worker_')) console.log(`${name}: ${state[name]}`);
  }
}
