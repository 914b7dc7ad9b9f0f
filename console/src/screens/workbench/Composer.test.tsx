import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { draw } from "../../testing/draw";
import { Composer } from "./Composer";

describe("the composer", () => {
  const onSend = vi.fn<(text: string) => void>();
  const input = () => screen.getByTestId<HTMLTextAreaElement>("composer-input");

  function Writing({ draft: first }: { draft: string }) {
    const [draft, setDraft] = useState(first);
    return <Composer draft={draft} onDraft={setDraft} onSend={onSend} />;
  }

  beforeEach(() => {
    onSend.mockClear();
  });

  it("sends by Enter and is empty afterwards", async () => {
    draw(<Writing draft="" />);
    await userEvent.type(input(), "hello{Enter}");
    expect(onSend).toHaveBeenCalledExactlyOnceWith("hello");
    expect(input().value).toBe("");
  });

  it("breaks the line by Shift+Enter", async () => {
    draw(<Writing draft="" />);
    await userEvent.type(input(), "one{Shift>}{Enter}{/Shift}two");
    expect(onSend).not.toHaveBeenCalled();
    expect(input().value).toBe("one\ntwo");
  });

  it("does not send by the Enter that picks a word of an input method", () => {
    draw(<Writing draft="ni hao" />);
    fireEvent.compositionStart(input());
    fireEvent.keyDown(input(), { key: "Enter" });
    expect(onSend).not.toHaveBeenCalled();
    fireEvent.compositionEnd(input());
    fireEvent.keyDown(input(), { key: "Enter" });
    expect(onSend).toHaveBeenCalledExactlyOnceWith("ni hao");
  });

  it("does not send by an Enter that the browser marks as composing", () => {
    draw(<Writing draft="ni hao" />);
    fireEvent.keyDown(input(), { key: "Enter", isComposing: true });
    expect(onSend).not.toHaveBeenCalled();
  });

  it("does not send by the Enter of Safari, which comes after the end of the composition", () => {
    draw(<Writing draft="ni hao" />);
    fireEvent.compositionStart(input());
    fireEvent.compositionEnd(input());
    fireEvent.keyDown(input(), { key: "Enter", keyCode: 229 });
    expect(onSend).not.toHaveBeenCalled();
  });

  it("does not send blanks", async () => {
    draw(<Writing draft={"  \n "} />);
    expect(screen.getByTestId("composer-send")).toHaveProperty("disabled", true);
    await userEvent.type(input(), "{Enter}");
    expect(onSend).not.toHaveBeenCalled();
  });

  it("sends by its button", async () => {
    draw(<Writing draft=" hello " />);
    await userEvent.click(screen.getByTestId("composer-send"));
    expect(onSend).toHaveBeenCalledExactlyOnceWith("hello");
  });
});
