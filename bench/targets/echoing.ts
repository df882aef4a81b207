import { BaseManager } from 'multiprocess';

export class Echo {
  echo(value: number): number {
    return value;
  }
}

export class EchoManager extends BaseManager.with({ Echo }) {}
