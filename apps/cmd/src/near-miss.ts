/** "Did you mean …": the known word that a wrong one was most likely meant to be. */
import { distance } from 'fastest-levenshtein'

/** How far off a word of so many characters may be. Two letters that changed places are two slips. */
const slipsOf = (characters: number): number => (characters < 4 ? 1 : characters < 9 ? 2 : 3)

/** The nearest of the known words, when it is near enough to be meant. Case does not count. */
export const nearMiss = (word: string, known: Iterable<string>): string | undefined => {
  let nearest: string | undefined
  let fewest = slipsOf(word.length) + 1
  for (const each of known) {
    if (each === word) continue
    const slips = distance(word.toLowerCase(), each.toLowerCase())
    if (slips < fewest) {
      fewest = slips
      nearest = each
    }
  }
  return nearest
}

/** `; did you mean "x"?` or nothing, for the end of a sentence. */
export const didYouMean = (word: string, known: Iterable<string>): string => {
  const nearest = nearMiss(word, known)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}
