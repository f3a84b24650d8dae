/**
 * What was sent to a consumer and is not acknowledged.
 *
 * @module
 */

import { LinkedList, type ListNode } from "./linked_list.ts";

/** Something that was dispatched. */
export interface Dispatched {
  /** Its message's id, from `messageKey`. */
  readonly key: string;
}

/** A place in the list. */
export type DispatchedNode<E> = ListNode<E> & { value: E };

/** In the order of dispatch, and quick to search. */
export class DispatchedList<E extends Dispatched> {
  readonly #list: LinkedList<E> = new LinkedList();
  readonly #byKey: Map<string, DispatchedNode<E>> = new Map();
  /** Messages whose key another had before: a composite consumer gets a composite message twice. */
  #doubles = 0;

  /** How many there are. */
  get size(): number {
    return this.#list.size;
  }

  /** Adds what was sent last. */
  add(entry: E): void {
    const node = this.#list.append(entry) as DispatchedNode<E>;
    if (this.#byKey.has(entry.key)) this.#doubles++;
    else this.#byKey.set(entry.key, node);
  }

  /** The oldest. */
  get first(): DispatchedNode<E> | undefined {
    return this.#list.size === 0 ? undefined : this.#list.first as DispatchedNode<E>;
  }

  /** The oldest with a key. */
  find(key: string): DispatchedNode<E> | undefined {
    return this.#byKey.get(key);
  }

  /** All from a place on to the next with a key; undefined when there is none. */
  range(from: DispatchedNode<E>, last: string): DispatchedNode<E>[] | undefined {
    if (!this.#byKey.has(last)) return undefined;
    const found: DispatchedNode<E>[] = [];
    for (let node: ListNode<E> = from; node.next !== undefined; node = node.next) {
      found.push(node as DispatchedNode<E>);
      if (node.value!.key === last) return found;
    }
    return undefined;
  }

  /** All from a place on. */
  after(from: DispatchedNode<E>): DispatchedNode<E>[] {
    const found: DispatchedNode<E>[] = [];
    for (let node: ListNode<E> = from; node.next !== undefined; node = node.next) {
      found.push(node as DispatchedNode<E>);
    }
    return found;
  }

  /** Takes one out; false when it was no more there. */
  remove(node: DispatchedNode<E>): boolean {
    if (!this.#list.has(node)) return false;
    this.#list.remove(node);
    const { key } = node.value;
    if (this.#byKey.get(key) !== node) {
      this.#doubles--;
      return true;
    }
    this.#byKey.delete(key);
    if (this.#doubles === 0) return true;
    for (const other of this.#list) {
      if (other.value.key !== key) continue;
      this.#byKey.set(key, other);
      this.#doubles--;
      break;
    }
    return true;
  }

  /** Takes out all of a kind, oldest first. */
  removeAll(which: (entry: E) => boolean = () => true): E[] {
    const taken: E[] = [];
    for (const node of this.#list) {
      if (!which(node.value)) continue;
      taken.push(node.value);
      this.remove(node);
    }
    return taken;
  }
}
