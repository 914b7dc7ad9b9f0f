import { useState } from "react";

/** What is being written to one visitor. It outlives a look at another conversation and a reload, not the browser tab. */
export function useDraft(conversationId: string): [string, (text: string) => void] {
  const key = `frontdesk.draft.${conversationId}`;
  const [draft, setDraft] = useState(() => sessionStorage.getItem(key) ?? "");
  return [
    draft,
    (text) => {
      setDraft(text);
      if (text === "") sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, text);
    },
  ];
}
