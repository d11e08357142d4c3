import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.stream.Collectors;

/** Plays calls with java.net.http: a line in, a line out, as tests/support/calls.py says. */
final class Client {
    private static final Duration GIVES_UP = Duration.ofSeconds(30);

    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.valueOf(arguments[0])).build();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(said(client, line));
        }
    }

    private static String said(HttpClient client, String line) throws InterruptedException {
        try {
            HttpResponse<byte[]> answer = client.send(request(line.split("\t", -1)), BodyHandlers.ofByteArray());
            String headers = answer.headers().map().entrySet().stream()
                    .flatMap(each -> each.getValue().stream().map(value -> each.getKey() + ": " + value))
                    .collect(Collectors.joining("\n"));
            return answer.statusCode() + "\t" + coded(headers.getBytes(StandardCharsets.UTF_8)) + "\t"
                    + coded(answer.body());
        } catch (java.io.IOException failed) {
            return "error\t" + coded(failed.toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    private static HttpRequest request(String[] fields) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(fields[1]))
                .timeout(GIVES_UP)
                .method(fields[0], body(fields[4], decoded(fields[3])))
                .expectContinue(fields[5].equals("wait"));
        new String(decoded(fields[2]), StandardCharsets.UTF_8).lines()
                .map(each -> each.split(": ", 2))
                .forEach(each -> request.header(each[0], each[1]));
        return request.build();
    }

    private static BodyPublisher body(String framing, byte[] body) {
        return switch (framing) {
            case "length" -> BodyPublishers.ofByteArray(body);
            case "chunked" -> BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
            default -> BodyPublishers.noBody();
        };
    }

    private static byte[] decoded(String text) {
        return Base64.getDecoder().decode(text);
    }

    private static String coded(byte[] data) {
        return Base64.getEncoder().encodeToString(data);
    }
}
