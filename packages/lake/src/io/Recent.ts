/**
 * A bounded memory of immutable things by key: decoded metadata files and manifest lists, which a commit every few seconds
 * would otherwise read and decode anew.
 */
export class Recent<A> {
  private readonly entries = new Map<string, A>()
  private readonly entriesMax: number

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax
  }

  get(key: string): A | undefined {
    const found = this.entries.get(key)
    if (found !== undefined) this.set(key, found)
    return found
  }

  set(key: string, value: A): void {
    // Deleting first moves the key to the end: the one used longest ago is the first.
    this.entries.delete(key)
    this.entries.set(key, value)
    if (this.entries.size > this.entriesMax) {
      for (const oldest of this.entries.keys()) {
        this.entries.delete(oldest)
        return
      }
    }
  }
}
