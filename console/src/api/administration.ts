import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "./call";
import { keys } from "./keys";
import type { AppPatch, BotPatch, ChannelPatch, NewApp, NewBot, NewChannel, NewPerson, PersonPatch, SkillGroupName } from "./types";

/** A change of a thing that somebody else may be changing too: `version` is what the form was filled from. */
export interface Edit<Patch> {
  id: string;
  version: number;
  patch: Patch;
}

export function useApps() {
  return useQuery({ queryKey: keys.resource("apps"), queryFn: async ({ signal }) => (await call("GET /apps", { signal })).apps });
}

export function useChannels() {
  return useQuery({ queryKey: keys.resource("channels"), queryFn: async ({ signal }) => (await call("GET /channels", { signal })).channels });
}

export function useBots() {
  return useQuery({ queryKey: keys.resource("bots"), queryFn: async ({ signal }) => (await call("GET /bots", { signal })).bots });
}

export function useSkillGroups() {
  return useQuery({
    queryKey: keys.resource("skill-groups"),
    queryFn: async ({ signal }) => (await call("GET /skill-groups", { signal })).skill_groups,
  });
}

export function usePeople() {
  return useQuery({ queryKey: keys.resource("people"), queryFn: async ({ signal }) => (await call("GET /people", { signal })).people });
}

export const useCreateApp = () => useSaving((body: NewApp) => call("POST /apps", { body }));
export const useCreateChannel = () => useSaving((body: NewChannel) => call("POST /channels", { body }));
export const useCreateBot = () => useSaving((body: NewBot) => call("POST /bots", { body }));
export const useCreateSkillGroup = () => useSaving((body: SkillGroupName) => call("POST /skill-groups", { body }));
export const useCreatePerson = () => useSaving((body: NewPerson) => call("POST /people", { body }));

export const useEditApp = () => useSaving(({ id, version, patch }: Edit<AppPatch>) => call("PATCH /apps/{id}", { path: { id }, body: patch, ifMatch: version }));
export const useEditChannel = () =>
  useSaving(({ id, version, patch }: Edit<ChannelPatch>) => call("PATCH /channels/{id}", { path: { id }, body: patch, ifMatch: version }));
export const useEditBot = () => useSaving(({ id, version, patch }: Edit<BotPatch>) => call("PATCH /bots/{id}", { path: { id }, body: patch, ifMatch: version }));
export const useEditSkillGroup = () =>
  useSaving(({ id, version, patch }: Edit<Partial<SkillGroupName>>) => call("PATCH /skill-groups/{id}", { path: { id }, body: patch, ifMatch: version }));
export const useEditPerson = () =>
  useSaving(({ id, version, patch }: Edit<PersonPatch>) => call("PATCH /people/{id}", { path: { id }, body: patch, ifMatch: version }));

/** Names of one resource show in the others (a channel shows its bot), so all of them are read again. */
function useSaving<Input, Answer>(save: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: save, onSuccess: () => client.invalidateQueries({ queryKey: keys.administration }) });
}
