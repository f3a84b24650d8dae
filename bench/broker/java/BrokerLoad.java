import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQMessageProducer;
import org.apache.activemq.ActiveMQSession;
import org.apache.activemq.AsyncCallback;

/**
 * The Java client as one of the benchmark's, and as the process that fills and empties queues for all of them.
 *
 *   java BrokerLoad URL IN_FLIGHT BATCH WINDOW
 *
 * Takes lines such as "produce queue=q body=1024 count=20000 style=unconfirmed persistent=false" and answers each with
 * a line of JSON; turns.ts and workloads.ts say what they mean. Beside the tasks of all clients there are:
 *
 *   fill    sends messages, as "produce" does
 *   drain   receives count messages, then does as "left"
 *   left    waits until a queue is empty, and says how many messages it still has when that takes too long
 *   echo    answers requests to the queue from now on
 */
public class BrokerLoad {
  static final com.sun.management.OperatingSystemMXBean OS =
      (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  static final long PATIENCE = 20_000;
  static final long SETTLING = 5_000;

  static String url;
  static int inFlight, batch, window;
  static ActiveMQConnection connection;

  static Map<String, String> task;
  static String queue, style;
  static int body, count;

  public static void main(String[] args) throws Exception {
    url = args[0];
    inFlight = Integer.parseInt(args[1]);
    batch = Integer.parseInt(args[2]);
    window = Integer.parseInt(args[3]);
    connection = connect();
    System.out.println("ready");
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      String answer;
      try {
        answer = run(line);
      } catch (Exception | AssertionError e) {
        answer = "{\"error\":\"" + e.toString().replaceAll("[\\\\\"\\p{Cntrl}]", " ") + "\"}";
      }
      System.out.println(answer);
    }
    System.exit(0);
  }

  static ActiveMQConnection connect() throws JMSException {
    ActiveMQConnection made =
        (ActiveMQConnection) new ActiveMQConnectionFactory("system", "manager", url).createConnection();
    made.start();
    return made;
  }

  static String run(String line) throws Exception {
    String[] words = line.split(" ");
    task = new HashMap<>();
    for (int i = 1; i < words.length; i++) {
      String[] pair = words[i].split("=", 2);
      task.put(pair[0], pair[1]);
    }
    queue = task.get("queue");
    body = Integer.parseInt(task.get("body"));
    count = Integer.parseInt(task.get("count"));
    style = task.get("style");
    switch (words[0]) {
      case "produce":
      case "fill":
        return produce();
      case "consume":
        return consume();
      case "request":
        return request();
      case "drain":
        return drain();
      case "left":
        return "{\"left\":" + left() + "}";
      case "echo":
        return echo();
      default:
        throw new IllegalArgumentException(line);
    }
  }

  /** Measures a part of a task. */
  static class Stopwatch {
    final long start = System.nanoTime(), cpu = OS.getProcessCpuTime();

    String stop(int messages) {
      return stop(messages, "");
    }

    String stop(int messages, String more) {
      long nanos = System.nanoTime() - start, used = OS.getProcessCpuTime() - cpu;
      return "{\"messages\":" + messages + ",\"nanos\":" + nanos + ",\"cpuMicros\":" + used / 1000 + more + "}";
    }
  }

  static String produce() throws Exception {
    boolean transacted = style.equals("transacted"), persistent = task.get("persistent").equals("true");
    boolean windowed = style.equals("windowed");
    connection.setUseAsyncSend(windowed || style.equals("unconfirmed"));
    connection.setProducerWindowSize(windowed ? window : 0);
    Session session = connection.createSession(transacted, Session.AUTO_ACKNOWLEDGE);
    try {
      ActiveMQMessageProducer producer = (ActiveMQMessageProducer) session.createProducer(session.createQueue(queue));
      producer.setDeliveryMode(persistent ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT);
      String text = "x".repeat(body);
      Stopwatch watch = new Stopwatch();
      if (style.equals("confirmed")) {
        Semaphore room = new Semaphore(inFlight);
        AtomicReference<JMSException> failure = new AtomicReference<>();
        AsyncCallback done = new AsyncCallback() {
          public void onSuccess() {
            room.release();
          }

          public void onException(JMSException e) {
            failure.set(e);
            room.release();
          }
        };
        for (int i = 0; i < count; i++) {
          room.acquire();
          producer.send(session.createTextMessage(text), done);
        }
        room.acquire(inFlight);
        if (failure.get() != null) throw failure.get();
      } else {
        for (int i = 1; i <= count; i++) {
          // The answer to the last one tells that the broker has taken all.
          if (i == count && !transacted) connection.setAlwaysSyncSend(true);
          producer.send(session.createTextMessage(text));
          if (transacted && (i % batch == 0 || i == count)) session.commit();
        }
      }
      return watch.stop(count);
    } finally {
      connection.setAlwaysSyncSend(false);
      session.close();
    }
  }

  static String consume() throws Exception {
    boolean transacted = style.equals("transacted"), individual = style.equals("individual");
    Session session = connection.createSession(
        transacted, individual ? ActiveMQSession.INDIVIDUAL_ACKNOWLEDGE : Session.AUTO_ACKNOWLEDGE);
    try {
      Stopwatch watch = new Stopwatch();
      MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
      if (style.equals("handler") || individual) {
        CountDownLatch done = new CountDownLatch(count);
        AtomicReference<String> failure = new AtomicReference<>();
        consumer.setMessageListener(message -> {
          try {
            check(message);
            if (individual) message.acknowledge();
          } catch (Exception e) {
            failure.set(e.toString());
          }
          done.countDown();
        });
        boolean all = done.await(PATIENCE, TimeUnit.MILLISECONDS);
        if (failure.get() != null) throw new RuntimeException(failure.get());
        if (!all) throw new RuntimeException(done.getCount() + " of " + count + " messages did not come");
      } else {
        for (int i = 1; i <= count; i++) {
          take(consumer, i);
          if (transacted && (i % batch == 0 || i == count)) session.commit();
        }
      }
      return watch.stop(count);
    } finally {
      session.close();
    }
  }

  static void take(MessageConsumer consumer, int index) throws JMSException {
    Message message = consumer.receive(PATIENCE);
    if (message == null) throw new RuntimeException("message " + index + " of " + count + " did not come");
    check(message);
  }

  static void check(Message message) throws JMSException {
    int length = length(message);
    if (length != body) throw new RuntimeException("a body of " + length + " instead of " + body);
  }

  static int length(Message message) throws JMSException {
    return ((TextMessage) message).getText().length();
  }

  static String request() throws Exception {
    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    try {
      TemporaryQueue replies = session.createTemporaryQueue();
      MessageProducer producer = session.createProducer(session.createQueue(queue));
      producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
      MessageConsumer consumer = session.createConsumer(replies);
      String text = "x".repeat(body);
      long[] nanos = new long[count];
      Stopwatch watch = new Stopwatch();
      for (int i = 0; i < count; i++) {
        long start = System.nanoTime();
        TextMessage message = session.createTextMessage(text);
        message.setJMSReplyTo(replies);
        message.setJMSCorrelationID(String.valueOf(i));
        producer.send(message);
        take(consumer, i);
        nanos[i] = System.nanoTime() - start;
      }
      Arrays.sort(nanos);
      String more = ",\"p50\":" + nanos[count / 2] / 1000 + ",\"p99\":" + nanos[(int) (count * 0.99)] / 1000;
      String turn = watch.stop(count, more);
      consumer.close();
      replies.delete();
      return turn;
    } finally {
      session.close();
    }
  }

  static String drain() throws Exception {
    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    try {
      MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
      for (int i = 1; i <= count; i++) take(consumer, i);
    } finally {
      session.close();
    }
    return "{\"left\":" + left() + "}";
  }

  /** Nobody is told when the broker has taken the last acknowledgement, and this client does not wait when it closes. */
  static int left() throws Exception {
    for (long end = System.currentTimeMillis() + SETTLING; ; Thread.sleep(5)) {
      int left = browse();
      if (left == 0 || System.currentTimeMillis() > end) return left;
    }
  }

  static int browse() throws JMSException {
    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    try {
      int seen = 0;
      var messages = session.createBrowser(session.createQueue(queue)).getEnumeration();
      for (; messages.hasMoreElements(); messages.nextElement()) seen++;
      return seen;
    } finally {
      session.close();
    }
  }

  static String echo() throws JMSException {
    Session session = connect().createSession(false, Session.AUTO_ACKNOWLEDGE);
    MessageProducer producer = session.createProducer(null);
    producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
    session.createConsumer(session.createQueue(queue)).setMessageListener(message -> {
      try {
        TextMessage reply = session.createTextMessage(((TextMessage) message).getText());
        reply.setJMSCorrelationID(message.getJMSCorrelationID());
        producer.send(message.getJMSReplyTo(), reply);
      } catch (JMSException e) {
        System.err.println("A request was not answered: " + e);
      }
    });
    return "{\"left\":0}";
  }
}
