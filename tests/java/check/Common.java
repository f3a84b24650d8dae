import java.io.*;
import java.lang.reflect.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.activemq.command.*;
import org.apache.activemq.openwire.*;
import org.apache.activemq.util.ByteSequence;
import org.fusesource.hawtbuf.UTF8Buffer;

/** What Check is made of: schema, the `fields` view of a bean, strict frame decoding. */
final class Common extends Json {
    // ---------------------------------------------------------------- schema
    static final class Prop { String name, kind, javaType; Method getter, setter; }
    static final class Type { String name, parent; int code; boolean concrete; List<Prop> own = new ArrayList<>(), all; Class<?> cls; }
    static final Map<Integer, Map<String, Type>> SCHEMA = new TreeMap<>();
    /** The marshallers from version 6 on use a misspelt accessor pair of the same field; one name for all versions. */
    static final Map<String, String> ALIAS = Map.of("subcriptionName", "subscriptionName");

    static void loadSchema(String file) throws Exception {
        try (BufferedReader r = new BufferedReader(new FileReader(file))) {
            for (String l; (l = r.readLine()) != null;) {
                String[] f = l.split("\t");
                int v = Integer.parseInt(f[1]);
                Map<String, Type> m = SCHEMA.computeIfAbsent(v, k -> new TreeMap<>());
                if (f[0].equals("T")) {
                    Type t = new Type();
                    t.name = f[2]; t.code = Integer.parseInt(f[3]); t.concrete = f[4].equals("1"); t.parent = f[5].equals("-") ? null : f[5];
                    t.cls = Class.forName("org.apache.activemq.command." + t.name);
                    m.put(t.name, t);
                } else {
                    Type t = m.get(f[2]);
                    Prop p = new Prop();
                    p.name = f[3]; p.kind = f[4]; p.javaType = f[5];
                    t.own.add(p);
                }
            }
        }
        for (Map<String, Type> m : SCHEMA.values())
            for (Type t : m.values()) {
                t.all = new ArrayList<>();
                for (Type k = t; k != null; k = k.parent == null ? null : m.get(k.parent)) t.all.addAll(0, k.own);
                if (!t.concrete) continue;
                List<Prop> bound = new ArrayList<>();
                for (Prop p : t.all) {
                    Prop q = new Prop();
                    q.name = ALIAS.getOrDefault(p.name, p.name); q.kind = p.kind; q.javaType = p.javaType;
                    String cap = Character.toUpperCase(p.name.charAt(0)) + p.name.substring(1);
                    for (Method x : t.cls.getMethods()) {
                        if (x.getParameterCount() == 0 && (x.getName().equals("get" + cap) || x.getName().equals("is" + cap)) && !x.isBridge()
                            && (x.getReturnType().getSimpleName().equals(p.javaType))) q.getter = x;
                        if (x.getParameterCount() == 1 && x.getName().equals("set" + cap) && x.getParameterTypes()[0].getSimpleName().equals(p.javaType)) q.setter = x;
                    }
                    if (q.getter == null || q.setter == null) throw new Error("no accessor for " + t.name + "." + p.name + " " + p.javaType);
                    bound.add(q);
                }
                t.all = bound;
            }
    }
    static Type type(int v, Object o) {
        Type t = SCHEMA.get(v).get(o.getClass().getSimpleName());
        if (t == null || !t.concrete) throw new Error("no type " + o.getClass() + " in v" + v);
        return t;
    }

    // ---------------------------------------------------------------- fields view
    static String fields(Object o, int v, boolean stackTrace) throws Exception {
        StringBuilder sb = new StringBuilder();
        bean(sb, o, v, stackTrace, false);
        return sb.toString();
    }
    static void bean(StringBuilder sb, Object o, int v, boolean st, boolean nested) throws Exception {
        Type t = type(v, o);
        sb.append('{');
        boolean first = true;
        if (nested) { sb.append("\"$type\":"); str(sb, t.name); first = false; }
        for (Prop p : t.all) {
            if (!first) sb.append(',');
            first = false;
            str(sb, p.name); sb.append(':');
            value(sb, p.getter.invoke(o), v, st);
        }
        sb.append('}');
    }
    static void value(StringBuilder sb, Object x, int v, boolean st) throws Exception {
        if (x == null) sb.append("null");
        else if (x instanceof String) str(sb, (String) x);
        else if (x instanceof Boolean || x instanceof Byte || x instanceof Short || x instanceof Integer) sb.append(x);
        else if (x instanceof Long) sb.append('"').append(x).append('"');
        else if (x instanceof byte[]) bytes(sb, (byte[]) x);
        else if (x instanceof ByteSequence) bytes(sb, seq((ByteSequence) x));
        else if (x instanceof Throwable) throwable(sb, (Throwable) x, v, st);
        else if (x instanceof Object[]) {
            sb.append('[');
            Object[] a = (Object[]) x;
            for (int i = 0; i < a.length; i++) { if (i > 0) sb.append(','); value(sb, a[i], v, st); }
            sb.append(']');
        } else if (x instanceof DataStructure) bean(sb, x, v, st, true);
        else throw new Error("value " + x.getClass());
    }
    static byte[] seq(ByteSequence s) { return Arrays.copyOfRange(s.getData(), s.getOffset(), s.getOffset() + s.getLength()); }

    /** Versions whose marshallers cut a throwable's message to 1021 characters + "..." when it has more than 1024. */
    static boolean cuts(int v) { return v == 1 || v == 10; }
    static void throwable(StringBuilder sb, Throwable t, int v, boolean st) {
        sb.append("{\"$throwable\":{\"className\":"); str(sb, t.getClass().getName());
        sb.append(",\"message\":");
        String m = t.getMessage();
        if (m != null && cuts(v) && m.length() > 1024) m = m.substring(0, 1021) + "...";
        str(sb, m);
        if (st) {
            sb.append(",\"stackTrace\":[");
            boolean first = true;
            for (StackTraceElement e : t.getStackTrace()) {
                if (!first) sb.append(',');
                first = false;
                sb.append("{\"className\":"); str(sb, e.getClassName());
                sb.append(",\"methodName\":"); str(sb, e.getMethodName());
                sb.append(",\"fileName\":"); str(sb, e.getFileName());
                sb.append(",\"lineNumber\":").append(e.getLineNumber()).append('}');
            }
            sb.append("],\"cause\":");
            if (t.getCause() == null) sb.append("null"); else throwable(sb, t.getCause(), v, st);
        }
        sb.append("}}");
    }

    // ---------------------------------------------------------------- properties and bodies
    /**
     * The client decodes the string values at the top level of a property map or map body as standard UTF-8 although
     * they are written as modified UTF-8, so it loses U+0000 and everything outside the BMP. `wire` decodes them as
     * they were written; without it the client's own view is given.
     */
    static void properties(StringBuilder sb, Message m, boolean wire) throws Exception {
        ByteSequence s = m.getMarshalledProperties();
        Map<String, Object> r;
        if (wire) r = s == null ? null : org.apache.activemq.util.MarshallingSupport.unmarshalPrimitiveMap(whole(seq(s)), true);
        else r = m.getProperties();
        typedMap(sb, r == null ? Map.of() : r);
    }
    static DataInputStream whole(byte[] b) { return new DataInputStream(new ByteArrayInputStream(b)); }
    /** Properties and body of a decoded message: `"properties":...,"body":...` and the client's view where it differs. */
    static void bodyMembers(StringBuilder sb, Message m) throws Exception {
        StringBuilder p = new StringBuilder(), jp = new StringBuilder(), b = new StringBuilder(), jb = new StringBuilder();
        properties(p, m, true); properties(jp, m, false);
        body(b, m, true); body(jb, m, false);
        sb.append("\"properties\":").append(p).append(",\"body\":").append(b);
        if (!p.toString().equals(jp.toString())) sb.append(",\"javaProperties\":").append(jp);
        if (!b.toString().equals(jb.toString())) sb.append(",\"javaBody\":").append(jb);
    }
    /** The logical body of a decoded message, through the client API (a map body as written when `wire`). */
    static void body(StringBuilder sb, Message m, boolean wire) throws Exception {
        if (wire && m instanceof ActiveMQMapMessage) {
            Map<String, Object> r = null;
            if (m.getContent() != null) {
                InputStream in = new ByteArrayInputStream(seq(m.getContent()));
                if (m.isCompressed()) in = new java.util.zip.InflaterInputStream(in);
                r = org.apache.activemq.util.MarshallingSupport.unmarshalPrimitiveMap(new DataInputStream(in), true);
            }
            sb.append("{\"map\":"); typedMap(sb, r == null ? Map.of() : r); sb.append('}');
            return;
        }
        boolean compressed = m.isCompressed();
        ByteSequence content = m.getContent();
        try { clientBody(sb, m); } finally { m.setContent(content); m.setCompressed(compressed); }
    }
    private static void clientBody(StringBuilder sb, Message m) throws Exception {
        if (m instanceof ActiveMQTextMessage) { sb.append("{\"text\":"); str(sb, ((ActiveMQTextMessage) m).getText()); sb.append('}'); }
        else if (m instanceof ActiveMQBytesMessage) {
            ActiveMQBytesMessage b = (ActiveMQBytesMessage) m;
            b.setReadOnlyBody(true);
            b.reset();
            ByteArrayOutputStream o = new ByteArrayOutputStream();
            byte[] buf = new byte[4096];
            for (int n; (n = b.readBytes(buf)) > 0;) o.write(buf, 0, n);
            sb.append("{\"bytes\":"); bytes(sb, o.toByteArray()); sb.append('}');
        } else if (m instanceof ActiveMQMapMessage) {
            ActiveMQMapMessage mm = (ActiveMQMapMessage) m;
            Map<String, Object> r = new HashMap<>();
            for (Enumeration<?> e = mm.getMapNames(); e.hasMoreElements();) { String n = (String) e.nextElement(); r.put(n, mm.getObject(n)); }
            sb.append("{\"map\":"); typedMap(sb, r); sb.append('}');
        } else if (m instanceof ActiveMQStreamMessage) {
            ActiveMQStreamMessage s = (ActiveMQStreamMessage) m;
            s.setReadOnlyBody(true);
            s.reset();
            sb.append("{\"stream\":[");
            boolean first = true;
            for (;;) {
                Object x;
                try { x = s.readObject(); } catch (javax.jms.MessageEOFException e) { break; }
                if (!first) sb.append(',');
                first = false;
                typed(sb, x);
            }
            sb.append("]}");
        } else if (m instanceof ActiveMQObjectMessage) {
            ActiveMQObjectMessage om = (ActiveMQObjectMessage) m;
            om.setTrustAllPackages(true);
            Object o = om.getObject();
            sb.append("{\"object\":");
            if (o == null) sb.append("null");
            else {
                sb.append('[');
                boolean first = true;
                for (Object x : (List<?>) o) { if (!first) sb.append(','); first = false; str(sb, (String) x); }
                sb.append(']');
            }
            sb.append('}');
        } else sb.append("{}");
    }

    // ---------------------------------------------------------------- wire formats
    static Field field(Class<?> c, String n) { try { Field f = c.getDeclaredField(n); f.setAccessible(true); return f; } catch (Exception e) { throw new Error(e); } }
    static final Field MARSHALLERS = field(OpenWireFormat.class, "dataMarshallers"), UCACHE = field(OpenWireFormat.class, "unmarshallCache");

    static OpenWireFormat format(int v, boolean tight, boolean cache, boolean noPrefix, boolean st) {
        OpenWireFormat f = new OpenWireFormat(v);
        f.setTightEncodingEnabled(tight);
        f.setCacheEnabled(cache);
        f.setSizePrefixDisabled(noPrefix);
        f.setStackTraceEnabled(st);
        return f;
    }

    /** Like the stream, but a loose boolean must be 0 or 1. */
    static DataInput strict(DataInputStream d) {
        return new DataInput() {
            public boolean readBoolean() throws IOException {
                int b = d.readUnsignedByte();
                if (b > 1) throw new IOException("boolean byte " + b);
                return b == 1;
            }
            public void readFully(byte[] b) throws IOException { d.readFully(b); }
            public void readFully(byte[] b, int o, int n) throws IOException { d.readFully(b, o, n); }
            public int skipBytes(int n) throws IOException { return d.skipBytes(n); }
            public byte readByte() throws IOException { return d.readByte(); }
            public int readUnsignedByte() throws IOException { return d.readUnsignedByte(); }
            public short readShort() throws IOException { return d.readShort(); }
            public int readUnsignedShort() throws IOException { return d.readUnsignedShort(); }
            public char readChar() throws IOException { return d.readChar(); }
            public int readInt() throws IOException { return d.readInt(); }
            public long readLong() throws IOException { return d.readLong(); }
            public float readFloat() throws IOException { return d.readFloat(); }
            public double readDouble() throws IOException { return d.readDouble(); }
            public String readLine() { throw new UnsupportedOperationException(); }
            public String readUTF() throws IOException { return d.readUTF(); }
        };
    }

    static final class Frame { Object object; int end; }
    static final Field BS_LIMIT = field(BooleanStream.class, "arrayLimit"), BS_POS = field(BooleanStream.class, "arrayPos"),
        BS_BIT = field(BooleanStream.class, "bytePos"), BS_DATA = field(BooleanStream.class, "data");

    /** Reads one frame at `off` strictly: prefix, every byte and every boolean accounted for. */
    static Frame decode(OpenWireFormat wf, byte[] b, int off) throws Exception {
        int p = off, end = b.length;
        if (!wf.isSizePrefixDisabled()) {
            if (b.length - off < 4) throw new IOException("no room for a size prefix at " + off);
            int size = ((b[p] & 255) << 24) | ((b[p + 1] & 255) << 16) | ((b[p + 2] & 255) << 8) | (b[p + 3] & 255);
            p += 4;
            if (size < 1 || size > b.length - p) throw new IOException("size prefix " + size + " but " + (b.length - p) + " bytes remain");
            end = p + size;
        }
        ByteArrayInputStream in = new ByteArrayInputStream(b, p, end - p);
        DataInput d = strict(new DataInputStream(in));
        Frame f = new Frame();
        int code = d.readUnsignedByte();
        if (code != 0) {
            DataStreamMarshaller m = ((DataStreamMarshaller[]) MARSHALLERS.get(wf))[code];
            if (m == null) throw new IOException("no marshaller for type " + code + " in version " + wf.getVersion());
            Object o = m.createObject();
            if (wf.isTightEncodingEnabled()) {
                BooleanStream bs = new BooleanStream();
                bs.unmarshal(d);
                m.tightUnmarshal(wf, o, d, bs);
                int limit = BS_LIMIT.getShort(bs), pos = BS_POS.getShort(bs), bit = BS_BIT.getByte(bs);
                byte[] data = (byte[]) BS_DATA.get(bs);
                int used = pos + (bit > 0 ? 1 : 0);
                if (used != limit) throw new IOException("boolean stream has " + limit + " bytes, decoder used " + used + " (" + (pos * 8 + bit) + " booleans)");
                if (bit > 0 && ((data[pos] & 255) >> bit) != 0) throw new IOException("padding bits of the boolean stream are not zero");
            } else m.looseUnmarshal(wf, o, d);
            f.object = o;
        }
        f.end = end - in.available();
        if (!wf.isSizePrefixDisabled() && f.end != end) throw new IOException("left over: " + (end - f.end) + " bytes inside the frame");
        return f;
    }
}
