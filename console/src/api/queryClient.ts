import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { keys } from "./keys";
import { asProblem } from "./problem";

/** The feed keeps what is cached fresh, so nothing goes stale by time alone. */
export function createQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: forgetSessionWhenGone }),
    mutationCache: new MutationCache({ onError: forgetSessionWhenGone }),
    defaultOptions: {
      queries: {
        staleTime: Infinity,
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 3 && asProblem(error).isPassing,
      },
    },
  });

  function forgetSessionWhenGone(error: unknown): void {
    if (asProblem(error).id === "not_signed_in") client.setQueryData(keys.session, null);
  }

  return client;
}
