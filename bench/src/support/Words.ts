/** The options that a benchmark's program was started with. */

/** What stands behind the option; undefined where it is not given. */
export const wordOf = (option: string): string | undefined => {
  const at = process.argv.indexOf(option)
  return at < 0 ? undefined : process.argv[at + 1]
}

export const numberOf = (option: string, fallback: number): number => Number(wordOf(option) ?? fallback)
