import java.util.*;
import org.fusesource.hawtbuf.UTF8Buffer;

/** JSON in and out, and typed values in it. */
class Json {
    // ---------------------------------------------------------------- reading: objects as LinkedHashMap, arrays as List, numbers as Long or Double
    private final String s; private int i;
    private Json(String s) { this.s = s; }
    Json() { this(""); }
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

    // ---------------------------------------------------------------- writing
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
    static void bytes(StringBuilder sb, byte[] b) { sb.append("{\"$bytes\":\"").append(Base64.getEncoder().encodeToString(b)).append("\"}"); }
    static String hex(byte[] b) { return HexFormat.of().formatHex(b); }
    static byte[] unhex(String s) { return HexFormat.of().parseHex(s); }

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
}
