import { lazy, Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";
import { LoadingScreen } from "../parts/LoadingScreen";
import { WorkbenchScreen } from "../screens/workbench/WorkbenchScreen";
import { useMay } from "./sessionContext";

// Agents never open the administration; they need not load it.
const ChannelsScreen = lazy(() => import("../screens/channels/ChannelsScreen"));
const AppsScreen = lazy(() => import("../screens/apps/AppsScreen"));
const BotsScreen = lazy(() => import("../screens/bots/BotsScreen"));
const SkillGroupsScreen = lazy(() => import("../screens/skill-groups/SkillGroupsScreen"));
const PeopleScreen = lazy(() => import("../screens/people/PeopleScreen"));

interface Props {
  unseen: ReadonlySet<string>;
  onSeen: (conversationId: string) => void;
}

export function Routing({ unseen, onSeen }: Props) {
  const may = useMay();
  return (
    <Suspense fallback={<LoadingScreen />}>
      <Routes>
        <Route path="/conversations/:id?" element={<WorkbenchScreen unseen={unseen} onSeen={onSeen} />} />
        {may("channel.manage") && <Route path="/administration/channels/:id?" element={<ChannelsScreen />} />}
        {may("app.manage") && <Route path="/administration/apps/:id?" element={<AppsScreen />} />}
        {may("bot.manage") && <Route path="/administration/bots/:id?" element={<BotsScreen />} />}
        {may("skill_group.manage") && <Route path="/administration/skill-groups/:id?" element={<SkillGroupsScreen />} />}
        {may("person.manage") && <Route path="/administration/people/:id?" element={<PeopleScreen />} />}
        <Route path="*" element={<Navigate to="/conversations" replace />} />
      </Routes>
    </Suspense>
  );
}
