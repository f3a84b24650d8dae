import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.activemq.command.*;
import org.apache.activemq.openwire.OpenWireFormat;
import org.apache.activemq.util.ByteSequence;

/**
 * The marshaller of the Java client, timed over recorded commands.
 *
 * <pre>
 * CodecBench streams DIR            writes DIR/CELL.bin: the frames of each cell, one after another
 * CodecBench run DIR [WORKLOAD]     times all cells, or those of one workload, and prints a JSON line each
 * CodecBench serve DIR              times what each line of the input asks for, "CELL PASS WARM SLICE"
 * </pre>
 *
 * A cell is WORKLOAD-(loose|tight)-(cache|nocache), of version 12. Rates are in million commands a second. The workloads,
 * their values and the passes are those of corpus.ts and codec_load.ts, which time our codec: keep them alike.
 */
public class CodecBench {
  static final List<String> WORKLOADS =
      List.of("dispatch-100", "dispatch-1k", "dispatch-64k", "ack", "send-1k", "mixed");
  static final List<String> MIX = List.of("dispatch-1k", "ack", "send-1k", "ack", "dispatch-100");
  static final int COUNT = 1000;
  /** 50 messages of 64 KiB are as many bytes as the caches of a processor hold. */
  static final int COUNT_64K = 50;
  static final int SLICES = 5;

  record Cell(String workload, boolean tight, boolean cache) {
    static Cell of(String name) {
      return all().stream().filter(cell -> cell.name().equals(name)).findFirst().orElseThrow();
    }

    static List<Cell> all() {
      List<Cell> all = new ArrayList<>();
      for (String workload : WORKLOADS) {
        for (boolean tight : new boolean[] {false, true}) {
          for (boolean cache : new boolean[] {false, true}) all.add(new Cell(workload, tight, cache));
        }
      }
      return all;
    }

    String name() {
      return workload + (tight ? "-tight" : "-loose") + (cache ? "-cache" : "-nocache");
    }

    Path in(Path dir) {
      return dir.resolve(name() + ".bin");
    }

    int count() {
      return workload.equals("dispatch-64k") ? COUNT_64K : COUNT;
    }

    OpenWireFormat format() {
      OpenWireFormat format = new OpenWireFormat(12);
      format.setVersion(12);
      format.setTightEncodingEnabled(tight);
      format.setCacheEnabled(cache);
      format.setMaxFrameSize(Long.MAX_VALUE);
      return format;
    }
  }

  // The commands

  static String text(int i, int size) {
    String line = "order line " + i + " of many; ";
    return line.repeat(size / line.length() + 1).substring(0, size);
  }

  static int size(String workload) {
    if (workload.endsWith("-100")) return 100;
    return workload.endsWith("-64k") ? 65536 : 1024;
  }

  static ActiveMQTextMessage message(int i, int size) throws Exception {
    ConnectionId connection = new ConnectionId("ID:host-12345-1700000000000-1:" + (1 + i % 3));
    ProducerId producer = new ProducerId(new SessionId(connection, 1 + i % 2), 1);
    ActiveMQTextMessage message = new ActiveMQTextMessage();
    message.setProducerId(producer);
    message.setMessageId(new MessageId(producer, i + 1));
    message.setDestination(new ActiveMQQueue("orders.incoming." + i % 5));
    message.setPersistent(i % 2 == 0);
    return fill(message, i, text(i, size));
  }

  static ActiveMQTextMessage fill(ActiveMQTextMessage message, int i, String text) throws Exception {
    message.setText(text);
    message.setTimestamp(1_700_000_000_000L + i);
    message.setPriority((byte) 4);
    message.setStringProperty("region", "eu-west-1");
    message.setIntProperty("attempt", i % 7);
    // Makes bytes of text and properties.
    message.beforeMarshall(null);
    return message;
  }

  static ConsumerId consumer(int i) {
    ConnectionId connection = new ConnectionId("ID:client-54321-1700000000000-1:1");
    return new ConsumerId(new SessionId(connection, 1), 1 + i % 3);
  }

  static Command dispatch(int i, int size) throws Exception {
    ActiveMQTextMessage message = message(i, size);
    message.setBrokerInTime(1_700_000_000_500L + i);
    MessageDispatch dispatch = new MessageDispatch();
    dispatch.setConsumerId(consumer(i));
    dispatch.setDestination(message.getDestination());
    dispatch.setMessage(message);
    return dispatch;
  }

  static Command ack(int i) throws Exception {
    ActiveMQTextMessage message = message(i, 0);
    MessageAck ack = new MessageAck();
    ack.setConsumerId(consumer(i));
    ack.setDestination(message.getDestination());
    ack.setAckType(MessageAck.STANDARD_ACK_TYPE);
    ack.setFirstMessageId(message.getMessageId());
    ack.setLastMessageId(message.getMessageId());
    ack.setMessageCount(1);
    return ack;
  }

  static Command command(String workload, int i) throws Exception {
    String kind = workload.equals("mixed") ? MIX.get(i % MIX.size()) : workload;
    Command command = kind.equals("ack") ? ack(i)
        : kind.startsWith("send") ? message(i, size(kind))
        : dispatch(i, size(kind));
    command.setCommandId(i + 1);
    command.setResponseRequired(i % 10 == 0);
    return command;
  }

  static void writeStreams(Path dir) throws Exception {
    Files.createDirectories(dir);
    for (Cell cell : Cell.all()) {
      OpenWireFormat format = cell.format();
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (int i = 0; i < cell.count(); i++) {
        ByteSequence frame = format.marshal(command(cell.workload(), i));
        all.write(frame.data, frame.offset, frame.length);
      }
      Files.write(cell.in(dir), all.toByteArray());
    }
  }

  // The passes over them

  interface Pass {
    void run() throws Exception;
  }

  /** What a pass made, so that nothing of it can be left out. */
  static volatile long sink;

  static class Loaded {
    final Cell cell;
    final byte[] bytes;
    final List<ByteSequence> frames = new ArrayList<>();
    final List<Object> commands = new ArrayList<>();
    final String[] texts;
    final OpenWireFormat in;
    final OpenWireFormat out;

    Loaded(Cell cell, Path dir) throws Exception {
      this.cell = cell;
      bytes = Files.readAllBytes(cell.in(dir));
      for (int at = 0; at < bytes.length; ) {
        int size = 4 + java.nio.ByteBuffer.wrap(bytes, at, 4).getInt();
        frames.add(new ByteSequence(bytes, at, size));
        at += size;
      }
      in = cell.format();
      out = cell.format();
      OpenWireFormat source = cell.format();
      for (ByteSequence frame : frames) commands.add(unmarshal(source, frame));
      texts = new String[cell.workload().equals("send-1k") ? commands.size() : 0];
      for (int i = 0; i < texts.length; i++) texts[i] = text(i, 1024);
    }

    static Object unmarshal(OpenWireFormat format, ByteSequence frame) throws Exception {
      // It moves the offset of the sequence.
      return format.unmarshal(new ByteSequence(frame.data, frame.offset, frame.length));
    }

    Pass pass(String name) {
      switch (name) {
        case "decode": return this::decode;
        case "decodeFull": return this::decodeFull;
        case "encode": return this::encode;
        case "encodeFull": return texts.length > 0 ? this::encodeFull : null;
        default: throw new IllegalArgumentException(name);
      }
    }

    /** As in a broker or a relay: a message's content and properties stay bytes. */
    void decode() throws Exception {
      for (ByteSequence frame : frames) sink += ((Command) unmarshal(in, frame)).getCommandId();
    }

    /** As in a consumer that reads each message's text and one property. */
    void decodeFull() throws Exception {
      for (ByteSequence frame : frames) {
        Command command = (Command) unmarshal(in, frame);
        Object inner = command instanceof MessageDispatch dispatch ? dispatch.getMessage() : command;
        if (inner instanceof ActiveMQTextMessage message) {
          message.setReadOnlyProperties(true);
          sink += message.getText().length() + message.getIntProperty("attempt");
        } else {
          sink += command.getCommandId();
        }
      }
    }

    /** The decoded commands again: their content and properties are bytes already. */
    void encode() throws Exception {
      for (Object command : commands) sink += out.marshal(command).length;
    }

    /** As in a producer: each message from a string and two properties. */
    void encodeFull() throws Exception {
      for (int i = 0; i < texts.length; i++) {
        ActiveMQTextMessage like = (ActiveMQTextMessage) commands.get(i);
        ActiveMQTextMessage message = new ActiveMQTextMessage();
        message.setProducerId(like.getProducerId());
        message.setMessageId(like.getMessageId());
        message.setDestination(like.getDestination());
        message.setPersistent(true);
        sink += out.marshal(fill(message, i, texts[i])).length;
      }
    }

    /** Warms up, then takes the median of some slices. */
    double rate(Pass pass, int warm, int slice) throws Exception {
      for (long end = System.nanoTime() + warm * 1_000_000L; System.nanoTime() < end; ) pass.run();
      double[] rates = new double[SLICES];
      for (int i = 0; i < SLICES; i++) {
        long start = System.nanoTime();
        long end = start + slice * 1_000_000L;
        long commands = 0;
        long now;
        do {
          pass.run();
          commands += frames.size();
          now = System.nanoTime();
        } while (now < end);
        rates[i] = commands * 1e3 / (now - start);
      }
      Arrays.sort(rates);
      return rates[SLICES / 2];
    }

    String json(String name, int warm, int slice) throws Exception {
      Pass pass = pass(name);
      return pass == null ? "null" : String.format(Locale.ROOT, "%.4f", rate(pass, warm, slice));
    }
  }

  static void run(Path dir, String workload) throws Exception {
    for (Cell cell : Cell.all()) {
      if (workload != null && !cell.workload().equals(workload)) continue;
      Loaded loaded = new Loaded(cell, dir);
      StringBuilder line = new StringBuilder();
      for (String pass : List.of("decode", "decodeFull", "encode", "encodeFull")) {
        line.append(",\"").append(pass).append("\":").append(loaded.json(pass, 700, 200));
      }
      System.out.printf("{\"peer\":\"java\",\"stream\":\"%s\",\"bytes\":%d%s}%n",
          cell.name(), loaded.bytes.length, line);
    }
  }

  static void serve(Path dir) throws Exception {
    // Only the cell that is timed: what others hold would cost its garbage collection.
    String name = null;
    Loaded loaded = null;
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      String[] ask = line.split(" ");
      if (!ask[0].equals(name)) {
        loaded = new Loaded(Cell.of(ask[0]), dir);
        name = ask[0];
      }
      System.out.println(loaded.json(ask[1], Integer.parseInt(ask[2]), Integer.parseInt(ask[3])));
    }
  }

  public static void main(String[] arguments) throws Exception {
    Path dir = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "streams" -> writeStreams(dir);
      case "run" -> run(dir, arguments.length > 2 ? arguments[2] : null);
      case "serve" -> serve(dir);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    System.exit(0);
  }
}
