import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.zip.GZIPInputStream;
import org.apache.activemq.command.*;
import org.apache.activemq.openwire.OpenWireFormat;

/**
 * Decodes OpenWire bytes with the Java marshallers.
 *
 *   Check SCHEMA FILE        FILE (or - for standard input, .gz allowed): one JSON object a line
 *                            {id, version, tight, cache, sizePrefixDisabled, stackTrace, hex}
 *                            optional: stream:true (hex holds any number of frames for one connection),
 *                            cacheSize (negotiated size of that connection), decodeBody:true.
 *                            Prints one JSON object a line: {id, type, fields[, properties, body]},
 *                            {id, commands:[{type, fields}]} for a stream, {id, error} for a failure.
 * Exit status 1 when any line failed: unknown types, bytes or booleans left over, a size prefix that does not
 * match, exceptions.
 */
public class Check {
    static boolean flag(Map<String, Object> m, String k) { return Boolean.TRUE.equals(m.get(k)); }
    static OpenWireFormat fmt(Map<String, Object> m) throws Exception {
        int v = ((Long) m.get("version")).intValue();
        Object cs = m.get("cacheSize");
        if (cs != null && flag(m, "stream")) {
            OpenWireFormat f = Common.format(v, flag(m, "tight"), true, flag(m, "sizePrefixDisabled"), flag(m, "stackTrace"));
            Common.UCACHE.set(f, new DataStructure[((Long) cs).intValue()]);   // an index beyond the negotiated size must fail
            return f;
        }
        return Common.format(v, flag(m, "tight"), flag(m, "cache"), flag(m, "sizePrefixDisabled"), flag(m, "stackTrace"));
    }
    static void typeAndFields(StringBuilder sb, Object o, int v, boolean st) throws Exception {
        sb.append("\"type\":");
        if (o == null) { sb.append("null,\"fields\":{}"); return; }
        Common.str(sb, o.getClass().getSimpleName());
        sb.append(",\"fields\":").append(Common.fields(o, v, st));
    }
    static String run(Map<String, Object> m) throws Exception {
        int v = ((Long) m.get("version")).intValue();
        boolean st = flag(m, "stackTrace");
        byte[] b = Common.unhex((String) m.get("hex"));
        OpenWireFormat f = fmt(m);
        StringBuilder sb = new StringBuilder("{\"id\":");
        Common.str(sb, String.valueOf(m.get("id")));
        sb.append(',');
        if (flag(m, "stream")) {
            sb.append("\"commands\":[");
            for (int off = 0, n = 0; off < b.length; n++) {
                Common.Frame fr;
                try { fr = Common.decode(f, b, off); } catch (Exception e) { throw new IOException("frame " + n + " at byte " + off + ": " + e, e); }
                if (n > 0) sb.append(',');
                sb.append('{');
                typeAndFields(sb, fr.object, v, st);
                sb.append('}');
                off = fr.end;
            }
            return sb.append("]}").toString();
        }
        Common.Frame fr = Common.decode(f, b, 0);
        if (fr.end != b.length) throw new IOException("left over: " + (b.length - fr.end) + " bytes after the frame");
        typeAndFields(sb, fr.object, v, st);
        if (flag(m, "decodeBody")) {
            sb.append(',');
            Common.bodyMembers(sb, (Message) fr.object);
        }
        return sb.append('}').toString();
    }
    static BufferedReader open(String n) throws IOException {
        InputStream in = n.equals("-") ? System.in : new FileInputStream(n);
        if (n.endsWith(".gz")) in = new GZIPInputStream(in);
        return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    }
    @SuppressWarnings("unchecked")
    public static void main(String[] a) throws Exception {
        Common.loadSchema(a[0]);
        int bad = 0, n = 0;
        PrintStream out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16), false, "US-ASCII");
        try (BufferedReader r = open(a[1])) {
            for (String l; (l = r.readLine()) != null;) {
                if (l.isBlank()) continue;
                n++;
                Map<String, Object> m = null;
                try {
                    m = (Map<String, Object>) Json.parse(l);
                    out.println(run(m));
                } catch (Throwable e) {
                    bad++;
                    StringBuilder sb = new StringBuilder("{\"id\":");
                    Common.str(sb, m == null ? null : String.valueOf(m.get("id")));
                    sb.append(",\"error\":");
                    Common.str(sb, String.valueOf(e));
                    out.println(sb.append('}'));
                }
            }
        }
        out.flush();
        if (bad > 0) System.err.println(bad + " of " + n + " failed");
        System.exit(bad > 0 ? 1 : 0);
    }
}
