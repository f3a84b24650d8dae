/** A map for few entries: most messages have a handful of properties, for which a hash table costs more than it saves. */

/** Entries up to which names are compared one after another. */
const FEW = 8;

/** The part of `Map` that a {@linkcode PrimitiveMap} needs; entries keep the order in which they came. */
export class SmallMap<V> {
  #names: string[] = [];
  #values: V[] = [];
  #large: Map<string, V> | undefined;

  get size(): number {
    return this.#large?.size ?? this.#names.length;
  }

  get(name: string): V | undefined {
    if (this.#large) return this.#large.get(name);
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : this.#values[index];
  }

  has(name: string): boolean {
    return this.#large?.has(name) ?? this.#names.includes(name);
  }

  set(name: string, value: V): void {
    if (this.#large) {
      this.#large.set(name, value);
      return;
    }
    const index = this.#names.indexOf(name);
    if (index >= 0) {
      this.#values[index] = value;
    } else if (this.#names.length < FEW) {
      this.#names.push(name);
      this.#values.push(value);
    } else {
      this.#large = new Map(this.#names.map((known, i) => [known, this.#values[i]!]));
      this.#large.set(name, value);
      this.#names = [];
      this.#values = [];
    }
  }

  delete(name: string): boolean {
    if (this.#large) return this.#large.delete(name);
    const index = this.#names.indexOf(name);
    if (index < 0) return false;
    this.#names.splice(index, 1);
    this.#values.splice(index, 1);
    return true;
  }

  keys(): IterableIterator<string> {
    return this.#large?.keys() ?? this.#names.values();
  }

  *entries(): IterableIterator<[string, V]> {
    if (this.#large) yield* this.#large;
    // An entry that is deleted meanwhile must not hide the next one.
    else for (const name of [...this.#names]) if (this.has(name)) yield [name, this.get(name)!];
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.entries();
  }
}
