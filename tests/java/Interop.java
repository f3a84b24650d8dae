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
import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * The Java client, driven line by line: a JSON command on each line of standard input, its answer on a line of
 * standard output. Commands run at the same time; an answer has the `id` of its command. Ends at the end of input.
 *
 *   {id, op:"send", url, queue|topic, type, body, properties, compressed, correlationId, jmsType, priority, persistent, timeToLive, replyTo}
 *   {id, op:"receive", url, queue, timeout, selector, reads, leave}
 *
 * Both take user and password. java.ts describes the members; values are typed as Common.typed writes them.
 */
public class Interop {
    static final Map<String, ActiveMQConnection> CONNECTIONS = new ConcurrentHashMap<>();

    @SuppressWarnings("unchecked")
    public static void main(String[] args) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null;) {
            Map<String, Object> command = (Map<String, Object>) Common.Json.parse(line);
            threads.execute(() -> answer(command));
        }
        threads.shutdownNow();
        threads.awaitTermination(2, TimeUnit.SECONDS);
        for (ActiveMQConnection c : CONNECTIONS.values()) c.close();
        System.exit(0);
    }

    static void answer(Map<String, Object> command) {
        StringBuilder sb = new StringBuilder("{\"id\":").append(command.get("id"));
        int start = sb.length();
        try {
            switch ((String) command.get("op")) {
                case "send": send(sb, command); break;
                case "receive": receive(sb, command); break;
                default: throw new IllegalArgumentException("op " + command.get("op"));
            }
        } catch (Throwable e) {
            sb.setLength(start);
            sb.append(",\"error\":");
            Common.str(sb, e.toString());
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
                c = (ActiveMQConnection) f.createConnection();
                try {
                    c.start();
                } catch (JMSException e) {
                    c.close();
                    throw e;
                }
                CONNECTIONS.put(key, c);
            }
        }
        return c.createSession(false, acknowledgeMode);
    }

    // ---------------------------------------------------------------- send

    static void send(StringBuilder sb, Map<String, Object> command) throws Exception {
        Session s = session(command, Session.AUTO_ACKNOWLEDGE);
        try {
            Destination d = command.containsKey("topic") ? s.createTopic((String) command.get("topic")) : s.createQueue((String) command.get("queue"));
            Message m = message(s, (String) command.get("type"), map(command.get("body")));
            for (Object p : list(command.get("properties"))) m.setObjectProperty((String) list(p).get(0), value(list(p).get(1)));
            if (command.containsKey("correlationId")) m.setJMSCorrelationID((String) command.get("correlationId"));
            if (command.containsKey("jmsType")) m.setJMSType((String) command.get("jmsType"));
            if (command.containsKey("replyTo")) m.setJMSReplyTo(s.createQueue((String) command.get("replyTo")));
            MessageProducer p = s.createProducer(d);
            p.setDeliveryMode(Boolean.FALSE.equals(command.get("persistent")) ? DeliveryMode.NON_PERSISTENT : DeliveryMode.PERSISTENT);
            if (command.containsKey("priority")) p.setPriority(((Long) command.get("priority")).intValue());
            if (command.containsKey("timeToLive")) p.setTimeToLive((Long) command.get("timeToLive"));
            p.send(m);
            sb.append(",\"messageId\":");
            Common.str(sb, m.getJMSMessageID());
        } finally {
            s.close();
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
            Message m = c.receive((Long) command.get("timeout"));
            sb.append(",\"message\":");
            if (m == null) sb.append("null");
            else read(sb, m, list(command.get("reads")));
        } finally {
            s.close();
        }
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
        sb.append(",\"JMSPriority\":").append(m.getJMSPriority());
        sb.append(",\"JMSDeliveryMode\":").append(m.getJMSDeliveryMode());
        sb.append(",\"JMSRedelivered\":").append(m.getJMSRedelivered());
        sb.append("},\"properties\":");
        Map<String, Object> properties = new TreeMap<>();
        for (Object name : Collections.list(m.getPropertyNames())) properties.put((String) name, m.getObjectProperty((String) name));
        Common.typedMap(sb, properties);
        sb.append(",\"body\":");
        body(sb, m, reads);
        sb.append('}');
    }

    static StringBuilder header(StringBuilder sb, String name, Object x) {
        sb.append('"').append(name).append("\":");
        Common.str(sb, x == null ? null : x.toString());
        return sb;
    }

    static void body(StringBuilder sb, Message m, List<Object> reads) throws Exception {
        if (m instanceof TextMessage) {
            sb.append("{\"text\":");
            Common.str(sb, ((TextMessage) m).getText());
        } else if (m instanceof BytesMessage) {
            bytesBody(sb, (BytesMessage) m, reads);
        } else if (m instanceof MapMessage) {
            Map<String, Object> entries = new LinkedHashMap<>();
            for (Object name : Collections.list(((MapMessage) m).getMapNames())) entries.put((String) name, ((MapMessage) m).getObject((String) name));
            sb.append("{\"map\":");
            Common.typedMap(sb, entries);
        } else if (m instanceof StreamMessage) {
            sb.append("{\"stream\":[");
            try {
                for (String comma = "";; comma = ",") {
                    Object x = ((StreamMessage) m).readObject();
                    sb.append(comma);
                    Common.typed(sb, x);
                }
            } catch (MessageEOFException end) {
                sb.append(']');
            }
        } else if (m instanceof ObjectMessage) {
            Object o = ((ObjectMessage) m).getObject();
            sb.append("{\"object\":");
            Common.str(sb, o == null ? null : o.toString());
            sb.append(",\"className\":");
            Common.str(sb, o == null ? null : o.getClass().getName());
        } else sb.append('{');
        sb.append('}');
    }

    static void bytesBody(StringBuilder sb, BytesMessage m, List<Object> reads) throws JMSException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[4096];
        for (int n; (n = m.readBytes(buffer)) > 0;) all.write(buffer, 0, n);
        sb.append("{\"hex\":\"").append(Common.hex(all.toByteArray())).append("\",\"length\":").append(m.getBodyLength());
        if (!reads.isEmpty()) {
            m.reset();
            sb.append(",\"reads\":[");
            for (int i = 0; i < reads.size(); i++) {
                if (i > 0) sb.append(',');
                Common.typed(sb, read(m, reads.get(i)));
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
