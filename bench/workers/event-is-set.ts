import { Event } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';

const event = Event();
event.set();

await serve((count) => {
  let missed = 0;
  const start = performance.now();
  for (let i = 0; i < count; i++) if (!event.isSet()) missed++;
  const seconds = secondsSince(start);
  check(missed === 0, 'the event is not set');
  return seconds;
});
