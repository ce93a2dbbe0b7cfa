/** Every way of looking, by its name. */
import type { Level, LevelName } from './case.ts'
import { chunkedBodies, requestHeads, responseHeads } from './heads.ts'
import { pipelines, splits } from './pipelines.ts'
import { openSockets } from './sockets.ts'

export interface OpenLevel extends AsyncDisposable {
  readonly level: Level
}

/** Ready to judge. */
export const openLevel = async (name: LevelName): Promise<OpenLevel> => {
  switch (name) {
    case 'request-heads':
      return inMemory(requestHeads)
    case 'response-heads':
      return inMemory(responseHeads)
    case 'chunked-bodies':
      return inMemory(chunkedBodies)
    case 'pipelines':
      return inMemory(pipelines)
    case 'splits':
      return inMemory(splits)
    case 'sockets': {
      const level = await openSockets()
      return { level, [Symbol.asyncDispose]: () => level[Symbol.asyncDispose]() }
    }
  }
}

const inMemory = (level: Level): OpenLevel => ({ level, [Symbol.asyncDispose]: async () => {} })
