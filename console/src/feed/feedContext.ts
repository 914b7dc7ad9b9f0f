import { createContext, use } from "react";
import type { FeedState } from "./feedClient";

export interface Feed {
  state: FeedState;
  /** Reads a conversation again now, after an act of this person. */
  renew: (conversationId: string) => Promise<void>;
}

export const FeedContext = createContext<Feed | null>(null);

export function useFeed(): Feed {
  const feed = use(FeedContext);
  if (!feed) throw new Error("useFeed is used outside of FeedProvider");
  return feed;
}
