/**
 * What the peer keeps of the values that were sent to it (Java: the marshall cache of OpenWireFormat).
 *
 * Keys go round a ring of `size` slots. Before each frame the oldest values are forgotten until `room` slots are free,
 * so that no value of one frame takes the place of another of the same frame. A value that finds no free slot
 * gets key -1: it is sent, but the peer does not keep it. This is the numbering of the Java writer.
 */

/** A value that can be cached: ids and destinations. `identify` gives equal texts for equal values. */
interface Entry {
  readonly id: string;
  readonly key: number;
  /** Objects that stand for the value, which are then found without building `id`. */
  readonly objects: object[];
}

/** Objects remembered for one value, at most. */
const ALIASES = 4;
/** Values that one frame may add, as in Java. */
const ROOM = 100;
/** Java never ends with fewer slots than {@linkcode ROOM}; other peers may want them. */
const SMALL_ROOM = 24;

/** Cache of what was written. Cached objects are frozen: a change would go unnoticed. */
export class WriteCache {
  readonly #slots: (Entry | undefined)[];
  readonly #byId: Map<string, Entry> = new Map();
  readonly #byObject: Map<object, Entry> = new Map();
  readonly #room: number;
  #nullKey: number | undefined;
  #next = 0;
  #evict = 0;
  #frameStart = 0;
  #added: Entry[] = [];

  /** Makes an empty cache of `size` slots. */
  constructor(size: number) {
    this.#slots = new Array(size).fill(undefined);
    this.#room = size >= ROOM ? ROOM : Math.min(size - 1, SMALL_ROOM);
  }

  /** Makes room for the values of a frame. */
  beginFrame(): void {
    const size = this.#slots.length;
    while (this.#byId.size > size - this.#room) {
      const entry = this.#slots[this.#evict];
      if (entry) this.#remove(entry);
      this.#evict = (this.#evict + 1) % size;
    }
    this.#frameStart = this.#next;
    if (this.#added.length > 0) this.#added = [];
  }

  /** Forgets what the current frame added, because it isn't sent. */
  rollBack(): void {
    for (const entry of this.#added) this.#remove(entry);
    this.#added = [];
    this.#next = this.#frameStart;
  }

  /** The key of an object that was seen before, or of null. */
  find(value: object | null | undefined): number | undefined {
    return value === null || value === undefined ? this.#nullKey : this.#byObject.get(value)?.key;
  }

  /** The key of a value by its text, and remembers the object. */
  findById(id: string, value: object | null): number | undefined {
    const entry = this.#byId.get(id);
    if (entry === undefined) return undefined;
    if (value !== null && entry.objects.length < ALIASES) this.#alias(entry, value);
    return entry.key;
  }

  /** Gives the value a key, or -1 when there is no room for it. */
  add(id: string, value: object | null): number {
    const key = this.#next;
    this.#next = (key + 1) % this.#slots.length;
    if (this.#byId.size >= this.#slots.length) return -1;
    const old = this.#slots[key];
    if (old) this.#remove(old);
    const entry: Entry = { id, key, objects: [] };
    this.#slots[key] = entry;
    this.#byId.set(id, entry);
    this.#added.push(entry);
    if (value === null) this.#nullKey = key;
    else this.#alias(entry, value);
    return key;
  }

  #alias(entry: Entry, value: object): void {
    entry.objects.push(Object.freeze(value));
    this.#byObject.set(value, entry);
  }

  #remove(entry: Entry): void {
    for (const object of entry.objects) this.#byObject.delete(object);
    this.#byId.delete(entry.id);
    this.#slots[entry.key] = undefined;
    if (this.#nullKey === entry.key) this.#nullKey = undefined;
  }
}
