/** The id of a release whose spec names none: the moment of its deploy, so that ids sort by age. */

/** Of the random ending, which keeps apart two deploys of one millisecond. */
const ENDING_CHARACTERS = 4

/** Such as `20260501-093015123-k3f9`; `random` is from 0 to 1, as `Math.random` gives it. */
export const releaseIdAt = (atMs: number, random: number): string => {
  const digits = new Date(atMs).toISOString().replaceAll(/\D/g, '')
  const ending = Math.floor(random * 36 ** ENDING_CHARACTERS)
    .toString(36)
    .padStart(ENDING_CHARACTERS, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}-${ending}`
}
