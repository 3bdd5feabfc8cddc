/**
 * When a topic is complete: everything that writes it has ended.
 *
 * In a bounded run jobs and landings ask it before they end. A topic that nothing writes is complete from the start.
 */

export interface Completion {
  /** Declares that `writer` writes the topic. All of them are declared before anything runs. */
  readonly writes: (writer: string, topic: string) => void
  readonly ended: (writer: string) => void
  readonly isComplete: (topic: string) => boolean
}

export const makeCompletion = (): Completion => {
  const open = new Map<string, Set<string>>()
  return {
    writes: (writer, topic) => {
      const writers = open.get(topic) ?? new Set()
      open.set(topic, writers.add(writer))
    },
    ended: (writer) => {
      for (const writers of open.values()) writers.delete(writer)
    },
    isComplete: (topic) => (open.get(topic)?.size ?? 0) === 0
  }
}
