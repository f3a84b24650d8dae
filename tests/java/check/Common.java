import java.io.*;
import java.lang.reflect.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.activemq.command.*;
import org.apache.activemq.openwire.*;
import org.apache.activemq.util.ByteSequence;
import org.fusesource.hawtbuf.UTF8Buffer;

/** Shared by Check and Interop: schema, JSON in and out, the `fields` view of a bean, strict frame decoding. */
final class Common {
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
    static void bytes(StringBuilder sb, byte[] b) { sb.append("{\"$bytes\":\"").append(Base64.getEncoder().encodeToString(b)).append("\"}"); }

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

    // ---------------------------------------------------------------- typed primitives (properties, map and stream bodies)
    static void typed(StringBuilder sb, Object x) {
        if (x == null) { sb.append("{\"t\":\"null\"}"); return; }
        sb.append("{\"t\":\"");
        if (x instanceof Boolean) sb.append("boolean\",\"v\":").append(x);
        else if (x instanceof Byte) sb.append("byte\",\"v\":").append(x);
        else if (x instanceof Short) sb.append("short\",\"v\":").append(x);
        else if (x instanceof Integer) sb.append("int\",\"v\":").append(x);
        else if (x instanceof Long) sb.append("long\",\"v\":\"").append(x).append('"');
        else if (x instanceof Character) { sb.append("char\",\"v\":"); str(sb, x.toString()); }
        else if (x instanceof Float) { float f = (Float) x; sb.append("float\",\"v\":"); num(sb, f); sb.append(String.format(",\"bits\":\"%08x\"", Float.floatToRawIntBits(f))); }
        else if (x instanceof Double) { double d = (Double) x; sb.append("double\",\"v\":"); num(sb, d); sb.append(String.format(",\"bits\":\"%016x\"", Double.doubleToRawLongBits(d))); }
        else if (x instanceof String || x instanceof UTF8Buffer) { sb.append("string\",\"v\":"); str(sb, x.toString()); }
        else if (x instanceof byte[]) { sb.append("bytes\",\"v\":"); bytes(sb, (byte[]) x); }
        else if (x instanceof Map) { sb.append("map\",\"v\":"); typedMap(sb, (Map<?, ?>) x); }
        else if (x instanceof List) {
            sb.append("list\",\"v\":[");
            boolean first = true;
            for (Object e : (List<?>) x) { if (!first) sb.append(','); first = false; typed(sb, e); }
            sb.append(']');
        } else throw new Error("typed " + x.getClass());
        sb.append('}');
    }
    /** [[name, typed], ...] sorted by name, because a Java map has no order to speak of. */
    static void typedMap(StringBuilder sb, Map<?, ?> m) {
        TreeMap<String, Object> s = new TreeMap<>();
        for (Map.Entry<?, ?> e : m.entrySet()) s.put(e.getKey().toString(), e.getValue());
        sb.append('[');
        boolean first = true;
        for (Map.Entry<String, Object> e : s.entrySet()) {
            if (!first) sb.append(',');
            first = false;
            sb.append('['); str(sb, e.getKey()); sb.append(','); typed(sb, e.getValue()); sb.append(']');
        }
        sb.append(']');
    }
    static void num(StringBuilder sb, double d) {
        if (Double.isNaN(d) || Double.isInfinite(d)) sb.append('"').append(d).append('"');
        else if (d == 0 && 1 / d < 0) sb.append("\"-0\"");
        else sb.append(d);
    }

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

    // ---------------------------------------------------------------- JSON
    static void str(StringBuilder sb, String s) {
        if (s == null) { sb.append("null"); return; }
        sb.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c == '"' || c == '\\') sb.append('\\').append(c);
            else if (c < 0x20 || c >= 0x7f) {
                sb.append("\\u");
                for (int k = 12; k >= 0; k -= 4) sb.append("0123456789abcdef".charAt((c >> k) & 15));
            } else sb.append(c);
        }
        sb.append('"');
    }
    /** A small JSON reader: objects as LinkedHashMap, arrays as List, numbers as Long or Double. */
    static final class Json {
        final String s; int i;
        Json(String s) { this.s = s; }
        static Object parse(String s) { Json j = new Json(s); Object o = j.val(); j.ws(); if (j.i != s.length()) throw new IllegalArgumentException("trailing text in JSON at " + j.i); return o; }
        void ws() { while (i < s.length() && " \t\r\n".indexOf(s.charAt(i)) >= 0) i++; }
        char next() { ws(); return s.charAt(i); }
        void need(char c) { if (next() != c) throw new IllegalArgumentException("JSON: want " + c + " at " + i); i++; }
        Object val() {
            char c = next();
            if (c == '{') {
                i++;
                Map<String, Object> m = new LinkedHashMap<>();
                if (next() == '}') { i++; return m; }
                for (;;) {
                    ws();
                    String k = string();
                    need(':');
                    m.put(k, val());
                    if (next() == ',') { i++; continue; }
                    need('}');
                    return m;
                }
            }
            if (c == '[') {
                i++;
                List<Object> l = new ArrayList<>();
                if (next() == ']') { i++; return l; }
                for (;;) { l.add(val()); if (next() == ',') { i++; continue; } need(']'); return l; }
            }
            if (c == '"') return string();
            if (s.startsWith("true", i)) { i += 4; return true; }
            if (s.startsWith("false", i)) { i += 5; return false; }
            if (s.startsWith("null", i)) { i += 4; return null; }
            int b = i;
            while (i < s.length() && "+-0123456789.eE".indexOf(s.charAt(i)) >= 0) i++;
            String n = s.substring(b, i);
            if (n.matches("-?\\d+")) return Long.valueOf(n);
            return Double.valueOf(n);
        }
        String string() {
            need('"');
            StringBuilder b = new StringBuilder();
            for (;;) {
                char c = s.charAt(i++);
                if (c == '"') return b.toString();
                if (c != '\\') { b.append(c); continue; }
                c = s.charAt(i++);
                switch (c) {
                    case 'u': b.append((char) Integer.parseInt(s.substring(i, i + 4), 16)); i += 4; break;
                    case 'n': b.append('\n'); break; case 't': b.append('\t'); break; case 'r': b.append('\r'); break;
                    case 'b': b.append('\b'); break; case 'f': b.append('\f'); break;
                    default: b.append(c);
                }
            }
        }
    }
    static String hex(byte[] b) { return HexFormat.of().formatHex(b); }
    static byte[] unhex(String s) { return HexFormat.of().parseHex(s); }

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
