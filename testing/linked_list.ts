/**
 * A list from whose middle things go, and in which places stay valid while others come and go.
 *
 * @module
 */

/** A place in a list. */
export interface ListNode<T> {
  /** What is there; undefined at the end. */
  value: T | undefined;
  /** The place before; undefined for the first, and for one that was removed. */
  previous: ListNode<T> | undefined;
  /** The place after; undefined at the end, and for one that was removed. */
  next: ListNode<T> | undefined;
}

/** A doubly linked list. Its end is a place, too: what is appended next will be there. */
export class LinkedList<T> {
  #first: ListNode<T> = { value: undefined, previous: undefined, next: undefined };
  #end: ListNode<T> = this.#first;
  #size = 0;

  /** How many things it holds. */
  get size(): number {
    return this.#size;
  }

  /** Where the first is, or the end of an empty list. */
  get first(): ListNode<T> {
    return this.#first;
  }

  /** Where the next will be appended. */
  get end(): ListNode<T> {
    return this.#end;
  }

  /** Adds something at the end. */
  append(value: T): ListNode<T> {
    const node = this.#end;
    node.value = value;
    this.#end = { value: undefined, previous: node, next: undefined };
    node.next = this.#end;
    this.#size++;
    return node;
  }

  /** Adds something before a place. */
  insert(value: T, before: ListNode<T>): ListNode<T> {
    const node: ListNode<T> = { value, previous: before.previous, next: before };
    if (before.previous === undefined) this.#first = node;
    else before.previous.next = node;
    before.previous = node;
    this.#size++;
    return node;
  }

  /** Whether a place is still in the list. */
  has(node: ListNode<T>): boolean {
    return node.next !== undefined;
  }

  /** Takes something out; its place is none any more. */
  remove(node: ListNode<T>): void {
    const { previous, next } = node;
    if (next === undefined) return;
    next.previous = previous;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    node.previous = node.next = undefined;
    this.#size--;
  }

  /** All in order. What is being looked at may be removed meanwhile. */
  *[Symbol.iterator](): Generator<ListNode<T> & { value: T }> {
    for (let node = this.#first, next; (next = node.next) !== undefined; node = next) {
      yield node as ListNode<T> & { value: T };
    }
  }
}
