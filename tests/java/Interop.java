import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.jms.*;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQXAConnectionFactory;
import org.apache.activemq.command.ActiveMQDestination;
import org.apache.activemq.command.XATransactionId;

/**
 * The Java client, driven line by line: a JSON command on each line of standard input, its answer on a line of
 * standard output. Commands run at the same time; an answer has the `id` of its command. Ends at the end of input.
 *
 *   {id, op:"send", url, queue|topic, type, body, properties, compressed, correlationId, jmsType, priority, persistent, timeToLive, replyTo}
 *   {id, op:"receive", url, queue, timeout, selector, reads, leave}
 *
 * Both take user and password. java.ts describes the members; values are typed as Json.typed writes them.
 *
 *   {id, op:"open", url, clientId, compressed, mode}                       answers a handle: a session with a connection of its own
 *   {id, op:"consume", session, destination, selector, subscription}       answers a handle: a consumer
 *   {id, op:"take", consumer, timeout, reads}
 *   {id, op:"put", session, destination, type, body, ...}                  as send
 *   {id, op:"temporaryQueue", session}                                     answers its name
 *   {id, op:"commit"|"rollback"|"unsubscribe"|"close", session|consumer, name}
 *   {id, op:"xa", session, call, xid, onePhase}                            answers vote or xids
 */
public class Interop {
    static final Map<String, ActiveMQConnection> CONNECTIONS = new ConcurrentHashMap<>();
    /** Opened sessions and consumers, by their handles. */
    static final Map<Long, Object> OPEN = new ConcurrentHashMap<>();
    static final AtomicLong HANDLES = new AtomicLong();

    @SuppressWarnings("unchecked")
    public static void main(String[] args) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null;) {
            Map<String, Object> command = (Map<String, Object>) Json.parse(line);
            threads.execute(() -> answer(command));
        }
        threads.shutdownNow();
        threads.awaitTermination(2, TimeUnit.SECONDS);
        for (ActiveMQConnection c : CONNECTIONS.values()) c.close();
        for (Object x : OPEN.values()) if (x instanceof Opened) ((Opened) x).connection.close();
        System.exit(0);
    }

    static void answer(Map<String, Object> command) {
        StringBuilder sb = new StringBuilder("{\"id\":").append(command.get("id"));
        int start = sb.length();
        try {
            switch ((String) command.get("op")) {
                case "send": send(sb, command); break;
                case "receive": receive(sb, command); break;
                case "open": open(sb, command); break;
                case "consume": consume(sb, command); break;
                case "take": {
                    Message m = ((MessageConsumer) opened(command, "consumer")).receive((Long) command.get("timeout"));
                    message(sb, m, command);
                    break;
                }
                case "put": put(sb, opened(command).session, destination((String) command.get("destination")), command); break;
                case "temporaryQueue": string(sb, "destination", opened(command).session.createTemporaryQueue().toString()); break;
                case "commit": opened(command).session.commit(); break;
                case "rollback": opened(command).session.rollback(); break;
                case "unsubscribe": opened(command).session.unsubscribe((String) command.get("name")); break;
                case "xa": xa(sb, opened(command), command); break;
                case "close": close(command); break;
                default: throw new IllegalArgumentException("op " + command.get("op"));
            }
        } catch (Throwable e) {
            sb.setLength(start);
            sb.append(",\"error\":");
            Json.str(sb, e.toString());
        }
        sb.append("}\n");
        synchronized (System.out) {
            System.out.print(sb);
            System.out.flush();
        }
    }

    /** One connection for each way to connect, with a session of its own for each command. */
    static Session session(Map<String, Object> command, int acknowledgeMode) throws JMSException {
        String url = (String) command.get("url"), user = (String) command.get("user"), password = (String) command.get("password");
        boolean compressed = Boolean.TRUE.equals(command.get("compressed"));
        String key = url + " " + user + " " + password + " " + compressed;
        ActiveMQConnection c;
        synchronized (CONNECTIONS) {
            c = CONNECTIONS.get(key);
            if (c == null || c.isClosed() || c.isTransportFailed()) {
                ActiveMQConnectionFactory f = new ActiveMQConnectionFactory(user, password, url);
                f.setUseCompression(compressed);
                f.setTrustAllPackages(true);
                // A consumer takes only what it is asked for, so the rest of the queue stays as it is.
                f.getPrefetchPolicy().setQueuePrefetch(0);
                c = started((ActiveMQConnection) f.createConnection());
                CONNECTIONS.put(key, c);
            }
        }
        return c.createSession(false, acknowledgeMode);
    }

    static ActiveMQConnection started(ActiveMQConnection c) throws JMSException {
        try {
            c.start();
            return c;
        } catch (JMSException e) {
            c.close();
            throw e;
        }
    }

    // ---------------------------------------------------------------- what stays open

    /** A session, with its connection. */
    static final class Opened {
        final ActiveMQConnection connection;
        final Session session;

        Opened(ActiveMQConnection connection, Session session) {
            this.connection = connection;
            this.session = session;
        }
    }

    static Opened opened(Map<String, Object> command) { return (Opened) opened(command, "session"); }

    static Object opened(Map<String, Object> command, String name) {
        Object x = OPEN.get(command.get(name));
        if (x == null) throw new IllegalArgumentException("There is no " + name + " " + command.get(name));
        return x;
    }

    static void handle(StringBuilder sb, Object x) {
        long handle = HANDLES.incrementAndGet();
        OPEN.put(handle, x);
        sb.append(",\"handle\":").append(handle);
    }

    static void open(StringBuilder sb, Map<String, Object> command) throws JMSException {
        String url = (String) command.get("url"), mode = (String) command.get("mode");
        boolean xa = mode.equals("xa");
        ActiveMQConnectionFactory f = xa ? new ActiveMQXAConnectionFactory(url) : new ActiveMQConnectionFactory(url);
        f.setUseCompression(Boolean.TRUE.equals(command.get("compressed")));
        f.setTrustAllPackages(true);
        ActiveMQConnection c = (ActiveMQConnection) (xa ? ((ActiveMQXAConnectionFactory) f).createXAConnection() : f.createConnection());
        try {
            if (command.containsKey("clientId")) c.setClientID((String) command.get("clientId"));
            c.start();
            Session s = xa ? ((XAConnection) c).createXASession()
                : c.createSession(mode.equals("transacted"), mode.equals("transacted") ? Session.SESSION_TRANSACTED : Session.AUTO_ACKNOWLEDGE);
            handle(sb, new Opened(c, s));
        } catch (JMSException e) {
            c.close();
            throw e;
        }
    }

    static void consume(StringBuilder sb, Map<String, Object> command) throws JMSException {
        Session s = opened(command).session;
        Destination d = destination((String) command.get("destination"));
        String selector = (String) command.get("selector"), subscription = (String) command.get("subscription");
        handle(sb, subscription == null ? s.createConsumer(d, selector) : s.createDurableSubscriber((Topic) d, subscription, selector, false));
    }

    static void close(Map<String, Object> command) throws JMSException {
        if (command.containsKey("consumer")) {
            ((MessageConsumer) opened(command, "consumer")).close();
            OPEN.remove(command.get("consumer"));
        } else {
            opened(command).connection.close();
            OPEN.remove(command.get("session"));
        }
    }

    static Destination destination(String name) { return (Destination) ActiveMQDestination.createDestination(name, ActiveMQDestination.QUEUE_TYPE); }

    static void xa(StringBuilder sb, Opened opened, Map<String, Object> command) throws Exception {
        XAResource resource = ((XASession) opened.session).getXAResource();
        Xid xid = command.containsKey("xid") ? xid(map(command.get("xid"))) : null;
        switch ((String) command.get("call")) {
            case "start": resource.start(xid, XAResource.TMNOFLAGS); break;
            case "end": resource.end(xid, XAResource.TMSUCCESS); break;
            case "prepare": string(sb, "vote", resource.prepare(xid) == XAResource.XA_RDONLY ? "read-only" : "ok"); break;
            case "commit": resource.commit(xid, Boolean.TRUE.equals(command.get("onePhase"))); break;
            case "rollback": resource.rollback(xid); break;
            case "recover": {
                sb.append(",\"xids\":[");
                String comma = "";
                for (Xid x : resource.recover(XAResource.TMSTARTRSCAN)) {
                    sb.append(comma).append("{\"formatId\":").append(x.getFormatId());
                    string(sb, "globalTransactionId", Json.hex(x.getGlobalTransactionId()));
                    string(sb, "branchQualifier", Json.hex(x.getBranchQualifier()));
                    sb.append('}');
                    comma = ",";
                }
                sb.append(']');
                break;
            }
            default: throw new IllegalArgumentException("call " + command.get("call"));
        }
    }

    static Xid xid(Map<String, Object> x) {
        XATransactionId xid = new XATransactionId();
        xid.setFormatId(((Long) x.get("formatId")).intValue());
        xid.setGlobalTransactionId(Json.unhex((String) x.get("globalTransactionId")));
        xid.setBranchQualifier(Json.unhex((String) x.get("branchQualifier")));
        return xid;
    }

    static void string(StringBuilder sb, String name, String value) {
        sb.append(",\"").append(name).append("\":");
        Json.str(sb, value);
    }

    // ---------------------------------------------------------------- send

    static void send(StringBuilder sb, Map<String, Object> command) throws Exception {
        Session s = session(command, Session.AUTO_ACKNOWLEDGE);
        try {
            put(sb, s, command.containsKey("topic") ? s.createTopic((String) command.get("topic")) : s.createQueue((String) command.get("queue")), command);
        } finally {
            s.close();
        }
    }

    static void put(StringBuilder sb, Session s, Destination d, Map<String, Object> command) throws Exception {
        Message m = message(s, (String) command.get("type"), map(command.get("body")));
        for (Object p : list(command.get("properties"))) m.setObjectProperty((String) list(p).get(0), value(list(p).get(1)));
        if (command.containsKey("correlationId")) m.setJMSCorrelationID((String) command.get("correlationId"));
        if (command.containsKey("jmsType")) m.setJMSType((String) command.get("jmsType"));
        if (command.containsKey("replyTo")) m.setJMSReplyTo(destination((String) command.get("replyTo")));
        MessageProducer p = s.createProducer(d);
        try {
            p.setDeliveryMode(Boolean.FALSE.equals(command.get("persistent")) ? DeliveryMode.NON_PERSISTENT : DeliveryMode.PERSISTENT);
            if (command.containsKey("priority")) p.setPriority(((Long) command.get("priority")).intValue());
            if (command.containsKey("timeToLive")) p.setTimeToLive((Long) command.get("timeToLive"));
            p.send(m);
            string(sb, "messageId", m.getJMSMessageID());
        } finally {
            p.close();
        }
    }

    static Message message(Session s, String type, Map<String, Object> body) throws Exception {
        switch (type) {
            case "message": return s.createMessage();
            case "text": return s.createTextMessage((String) body.get("text"));
            case "bytes": {
                BytesMessage m = s.createBytesMessage();
                if (body.containsKey("bytes")) m.writeBytes(bytes(body.get("bytes")));
                for (Object w : list(body.get("writes"))) write(m, value(w));
                return m;
            }
            case "map": {
                MapMessage m = s.createMapMessage();
                for (Object e : list(body.get("map"))) put(m, (String) list(e).get(0), value(list(e).get(1)));
                return m;
            }
            case "stream": {
                StreamMessage m = s.createStreamMessage();
                for (Object x : list(body.get("stream"))) write(m, value(x));
                return m;
            }
            case "object": {
                Object o = body.get("object");
                return s.createObjectMessage(o instanceof List ? new ArrayList<>(list(o)) : (String) o);
            }
            default: throw new IllegalArgumentException("type " + type);
        }
    }

    static void write(BytesMessage m, Object x) throws JMSException {
        if (x instanceof Boolean) m.writeBoolean((Boolean) x);
        else if (x instanceof Byte) m.writeByte((Byte) x);
        else if (x instanceof Short) m.writeShort((Short) x);
        else if (x instanceof Character) m.writeChar((Character) x);
        else if (x instanceof Integer) m.writeInt((Integer) x);
        else if (x instanceof Long) m.writeLong((Long) x);
        else if (x instanceof Float) m.writeFloat((Float) x);
        else if (x instanceof Double) m.writeDouble((Double) x);
        else if (x instanceof String) m.writeUTF((String) x);
        else if (x instanceof byte[]) m.writeBytes((byte[]) x);
        else throw new IllegalArgumentException("a bytes message has no " + x);
    }

    static void put(MapMessage m, String name, Object x) throws JMSException {
        if (x instanceof Boolean) m.setBoolean(name, (Boolean) x);
        else if (x instanceof Byte) m.setByte(name, (Byte) x);
        else if (x instanceof Short) m.setShort(name, (Short) x);
        else if (x instanceof Character) m.setChar(name, (Character) x);
        else if (x instanceof Integer) m.setInt(name, (Integer) x);
        else if (x instanceof Long) m.setLong(name, (Long) x);
        else if (x instanceof Float) m.setFloat(name, (Float) x);
        else if (x instanceof Double) m.setDouble(name, (Double) x);
        else if (x instanceof String) m.setString(name, (String) x);
        else if (x instanceof byte[]) m.setBytes(name, (byte[]) x);
        else m.setObject(name, x);
    }

    static void write(StreamMessage m, Object x) throws JMSException {
        if (x instanceof Boolean) m.writeBoolean((Boolean) x);
        else if (x instanceof Byte) m.writeByte((Byte) x);
        else if (x instanceof Short) m.writeShort((Short) x);
        else if (x instanceof Character) m.writeChar((Character) x);
        else if (x instanceof Integer) m.writeInt((Integer) x);
        else if (x instanceof Long) m.writeLong((Long) x);
        else if (x instanceof Float) m.writeFloat((Float) x);
        else if (x instanceof Double) m.writeDouble((Double) x);
        else if (x instanceof String) m.writeString((String) x);
        else if (x instanceof byte[]) m.writeBytes((byte[]) x);
        else m.writeObject(x);
    }

    // ---------------------------------------------------------------- receive

    static void receive(StringBuilder sb, Map<String, Object> command) throws Exception {
        // A session that is closed without an acknowledgement leaves the message to the next consumer.
        boolean leave = Boolean.TRUE.equals(command.get("leave"));
        Session s = session(command, leave ? Session.CLIENT_ACKNOWLEDGE : Session.AUTO_ACKNOWLEDGE);
        try {
            MessageConsumer c = s.createConsumer(s.createQueue((String) command.get("queue")), (String) command.get("selector"));
            message(sb, c.receive((Long) command.get("timeout")), command);
        } finally {
            s.close();
        }
    }

    static void message(StringBuilder sb, Message m, Map<String, Object> command) throws Exception {
        sb.append(",\"message\":");
        if (m == null) sb.append("null");
        else read(sb, m, list(command.get("reads")));
    }

    static void read(StringBuilder sb, Message m, List<Object> reads) throws Exception {
        sb.append("{\"type\":\"").append(m.getClass().getSimpleName()).append("\",\"headers\":{");
        header(sb, "JMSMessageID", m.getJMSMessageID()).append(',');
        header(sb, "JMSDestination", m.getJMSDestination()).append(',');
        header(sb, "JMSCorrelationID", m.getJMSCorrelationID()).append(',');
        header(sb, "JMSReplyTo", m.getJMSReplyTo()).append(',');
        header(sb, "JMSType", m.getJMSType()).append(',');
        header(sb, "JMSTimestamp", String.valueOf(m.getJMSTimestamp())).append(',');
        header(sb, "JMSExpiration", String.valueOf(m.getJMSExpiration()));
        sb.append(',');
        header(sb, "JMSXGroupID", m.getStringProperty("JMSXGroupID"));
        sb.append(",\"JMSXGroupSeq\":").append(m.getIntProperty("JMSXGroupSeq"));
        sb.append(",\"JMSPriority\":").append(m.getJMSPriority());
        sb.append(",\"JMSDeliveryMode\":").append(m.getJMSDeliveryMode());
        sb.append(",\"JMSRedelivered\":").append(m.getJMSRedelivered());
        sb.append("},\"properties\":");
        Map<String, Object> properties = new TreeMap<>();
        for (Object name : Collections.list(m.getPropertyNames())) properties.put((String) name, m.getObjectProperty((String) name));
        Json.typedMap(sb, properties);
        sb.append(",\"body\":");
        body(sb, m, reads);
        sb.append('}');
    }

    static StringBuilder header(StringBuilder sb, String name, Object x) {
        sb.append('"').append(name).append("\":");
        Json.str(sb, x == null ? null : x.toString());
        return sb;
    }

    static void body(StringBuilder sb, Message m, List<Object> reads) throws Exception {
        if (m instanceof TextMessage) {
            sb.append("{\"text\":");
            Json.str(sb, ((TextMessage) m).getText());
        } else if (m instanceof BytesMessage) {
            bytesBody(sb, (BytesMessage) m, reads);
        } else if (m instanceof MapMessage) {
            Map<String, Object> entries = new LinkedHashMap<>();
            for (Object name : Collections.list(((MapMessage) m).getMapNames())) entries.put((String) name, ((MapMessage) m).getObject((String) name));
            sb.append("{\"map\":");
            Json.typedMap(sb, entries);
        } else if (m instanceof StreamMessage) {
            sb.append("{\"stream\":[");
            try {
                for (String comma = "";; comma = ",") {
                    Object x = ((StreamMessage) m).readObject();
                    sb.append(comma);
                    Json.typed(sb, x);
                }
            } catch (MessageEOFException end) {
                sb.append(']');
            }
        } else if (m instanceof ObjectMessage) {
            Object o = ((ObjectMessage) m).getObject();
            sb.append("{\"object\":");
            Json.str(sb, o == null ? null : o.toString());
            sb.append(",\"className\":");
            Json.str(sb, o == null ? null : o.getClass().getName());
        } else sb.append('{');
        sb.append('}');
    }

    static void bytesBody(StringBuilder sb, BytesMessage m, List<Object> reads) throws JMSException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[4096];
        for (int n; (n = m.readBytes(buffer)) > 0;) all.write(buffer, 0, n);
        sb.append("{\"hex\":\"").append(Json.hex(all.toByteArray())).append("\",\"length\":").append(m.getBodyLength());
        if (!reads.isEmpty()) {
            m.reset();
            sb.append(",\"reads\":[");
            for (int i = 0; i < reads.size(); i++) {
                if (i > 0) sb.append(',');
                Json.typed(sb, read(m, reads.get(i)));
            }
            sb.append(']');
        }
    }

    /** `what` is the name of a type, or a number of bytes. */
    static Object read(BytesMessage m, Object what) throws JMSException {
        if (what instanceof Long) {
            byte[] b = new byte[((Long) what).intValue()];
            int n = m.readBytes(b);
            if (n != b.length) throw new MessageEOFException(n + " bytes, not " + b.length);
            return b;
        }
        switch ((String) what) {
            case "boolean": return m.readBoolean();
            case "byte": return m.readByte();
            case "short": return m.readShort();
            case "char": return m.readChar();
            case "int": return m.readInt();
            case "long": return m.readLong();
            case "float": return m.readFloat();
            case "double": return m.readDouble();
            case "string": return m.readUTF();
            default: throw new IllegalArgumentException("read " + what);
        }
    }

    // ---------------------------------------------------------------- JSON to Java

    /** The Java value of a typed value {t, v}. */
    static Object value(Object typed) {
        Map<String, Object> m = map(typed);
        Object v = m.get("v");
        String t = (String) m.get("t"), bits = (String) m.get("bits");
        switch (t) {
            case "null": return null;
            case "boolean": return (Boolean) v;
            case "byte": return ((Long) v).byteValue();
            case "short": return ((Long) v).shortValue();
            case "int": return ((Long) v).intValue();
            case "long": return Long.valueOf(v.toString());
            case "char": return ((String) v).charAt(0);
            case "float": return bits != null ? Float.intBitsToFloat(Integer.parseUnsignedInt(bits, 16)) : Float.parseFloat(v.toString());
            case "double": return bits != null ? Double.longBitsToDouble(Long.parseUnsignedLong(bits, 16)) : Double.parseDouble(v.toString());
            case "string": return (String) v;
            case "bytes": return bytes(v);
            case "list": {
                List<Object> l = new ArrayList<>();
                for (Object x : list(v)) l.add(value(x));
                return l;
            }
            case "map": {
                Map<String, Object> r = new LinkedHashMap<>();
                for (Object e : list(v)) r.put((String) list(e).get(0), value(list(e).get(1)));
                return r;
            }
            default: throw new IllegalArgumentException("type " + t);
        }
    }

    static byte[] bytes(Object x) { return Base64.getDecoder().decode((String) map(x).get("$bytes")); }

    @SuppressWarnings("unchecked")
    static Map<String, Object> map(Object x) { return x == null ? Map.of() : (Map<String, Object>) x; }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object x) { return x == null ? List.of() : (List<Object>) x; }
}
