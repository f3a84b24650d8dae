import { createActiveMQQueue } from "../../codec/mod.ts";
import { countDestinations, ProducerWindow } from "../../client/producer/producer_window.ts";
import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";

test("a window counts what is sent until it is acknowledged, message by message", () => {
  const window = new ProducerWindow(1000);
  window.charge(100, 1);
  window.charge(200, 1);
  assertEquals(window.used, 300);
  window.acknowledged();
  assertEquals(window.used, 200);
  window.acknowledged();
  assertEquals(window.used, 0);
});

test("a message to several destinations is acknowledged by each of them", () => {
  const window = new ProducerWindow(1000);
  window.charge(100, 3);
  window.charge(200, 1);
  window.acknowledged();
  window.acknowledged();
  assertEquals(window.used, 300);
  window.acknowledged();
  assertEquals(window.used, 200);
});

test("the message that fills half of the window asks, one at a time", () => {
  const window = new ProducerWindow(1000);
  const asks = () => window.charge(250, 1).asks;
  assertEquals([asks(), asks(), asks(), asks()], [false, true, false, false]);
  assertEquals([window.used, window.open], [1000, false]);
});

test("a ProducerAck is never for the message that asks", () => {
  const window = new ProducerWindow(1000);
  window.charge(250, 1);
  window.charge(251, 1);
  window.charge(252, 1);
  window.acknowledged();
  assertEquals(window.used, 503);
  window.acknowledged();
  assertEquals(window.used, 251);
});

test("an answer opens the window, though messages before it were never acknowledged", () => {
  const window = new ProducerWindow(1000);
  window.charge(400, 1);
  const asking = window.charge(400, 1);
  window.charge(400, 1);
  assertEquals(window.open, false);
  window.answered(asking);
  assertEquals([window.used, window.open], [400, true]);
  // A ProducerAck that comes after all is not for a message that was sent later.
  window.acknowledged();
  assertEquals(window.used, 400);
  window.acknowledged();
  assertEquals(window.used, 0);
});

test("a window that was full opens when half of it is free", () => {
  const window = new ProducerWindow(1000);
  window.charge(200, 1);
  window.charge(300, 1);
  window.charge(200, 1);
  assertEquals(window.open, true);
  window.charge(300, 1);
  assertEquals(window.open, false);
  window.acknowledged();
  assertEquals([window.used, window.open], [800, false]);
  window.acknowledged();
  window.acknowledged();
  assertEquals([window.used, window.open], [300, true]);
});

test("the window is never closed without an answer under way", () => {
  const window = new ProducerWindow(1000);
  const asking = window.charge(600, 1);
  window.charge(1000, 1);
  assertEquals(window.open, false);
  window.answered(asking);
  assertEquals([window.used, window.open], [1000, true]);
  assertEquals(window.charge(10, 1).asks, true);
  assertEquals(window.open, false);
});

test("when more acknowledgements come than were expected, only answers count", () => {
  const window = new ProducerWindow(1000);
  window.charge(100, 1);
  window.acknowledged();
  window.acknowledged();
  window.charge(100, 1);
  window.acknowledged();
  assertEquals(window.used, 100);
  const asking = window.charge(400, 1);
  window.charge(300, 1);
  for (let i = 0; i < 9; i++) window.acknowledged();
  assertEquals(window.used, 800);
  window.answered(asking);
  assertEquals(window.used, 300);
});

test("a message that was not sent after all counts no more", () => {
  const window = new ProducerWindow(1000);
  const first = window.charge(100, 1);
  const asking = window.charge(600, 1);
  window.withdraw(first);
  window.withdraw(asking);
  assertEquals([window.used, window.open], [0, true]);
  assertEquals(window.charge(500, 1).asks, true);
});

test("clear() forgets what is on its way, and its late acknowledgements too", () => {
  const window = new ProducerWindow(1000);
  window.charge(100, 2);
  const asking = window.charge(900, 1);
  window.clear();
  assertEquals([window.used, window.open], [0, true]);
  window.charge(50, 1);
  window.acknowledged();
  window.acknowledged();
  window.answered(asking);
  assertEquals(window.used, 50);
  window.acknowledged();
  assertEquals(window.used, 0);
});

test("a name stands for as many destinations as it has different parts", () => {
  const count = (name: string) => countDestinations(createActiveMQQueue({ physicalName: name }));
  assertEquals(count("a"), 1);
  assertEquals(count("a,b,topic://c"), 3);
  assertEquals(count("a, a ,a"), 1);
  assertEquals(count("a,"), 1);
  assertEquals(count("a,queue://a"), 2);
});
