using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace TrackMate.Tests.Running;

/// <summary>Where in its course a request is left standing.</summary>
public enum Phase
{
    BeforeAnything,
    InTheRequestLine,
    InTheHeaders,
    BeforeTheBody,
    InTheBody,
    InChunks,
    InAForm,
    AfterAnAnswer,
    NotReadingAnswers,
    InTheHandshake,
}

/// <summary>Connections of somebody who begins requests and goes no further. They end with the test.</summary>
public sealed class StalledConnections(Uri server) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly byte[] Filler = [.. Enumerable.Repeat((byte)' ', 1_000_000)];

    private readonly ConcurrentBag<TcpClient> clients = [];

    /// <summary>Opens so many in a phase, some at a time, and leaves them.</summary>
    /// <param name="forwardedFor">What each says that it is forwarded for.</param>
    public Task StallAsync(Phase phase, int count, Func<int, string?>? forwardedFor = null) =>
        Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, cancel) => await StallAsync(phase, forwardedFor?.Invoke(i), cancel));

    private async Task StallAsync(Phase phase, string? forwardedFor, CancellationToken cancel)
    {
        var client = new TcpClient();
        clients.Add(client);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(Patience);
            await client.ConnectAsync(server.Host, server.Port, limit.Token);
            Stream stream = client.GetStream();
            if (server.Scheme == "https" && phase is not (Phase.BeforeAnything or Phase.InTheHandshake))
            {
                var secure = new SslStream(stream, leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate?.Subject == "CN=localhost");
                await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, limit.Token);
                stream = secure;
            }

            foreach (var piece in Pieces(phase, forwardedFor is null ? "" : $"X-Forwarded-For: {forwardedFor}\r\n")) await stream.WriteAsync(piece, limit.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Closed to make room for others, or no more is taken of it: both are what is looked for.
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Pieces(Phase phase, string forwarded)
    {
        static ReadOnlyMemory<byte> Text(string text) => Encoding.ASCII.GetBytes(text);
        var post = $"POST /api/events HTTP/1.1\r\nHost: localhost\r\n{forwarded}";
        var begun = $$"""{"company_id":"{{ServerProcess.CompanyId}}","sessionId":"s","eventType":"x" """;
        switch (phase)
        {
            case Phase.BeforeAnything:
                break;
            case Phase.InTheRequestLine:
                yield return Text("POST /api/ev");
                break;
            case Phase.InTheHeaders:
                yield return Text(post + string.Concat(Enumerable.Range(0, 7).Select(i => $"X-Long-{i}: {new string('x', 4000)}\r\n")));
                break;
            case Phase.BeforeTheBody:
                yield return Text(post + "Content-Length: 1048000\r\n\r\n");
                break;
            case Phase.InTheBody:
                yield return Text(post + "Content-Length: 1048000\r\n\r\n" + begun);
                yield return Filler;
                break;
            case Phase.InChunks:
                yield return Text(post + $"Transfer-Encoding: chunked\r\n\r\n{begun.Length:x}\r\n{begun}\r\n{Filler.Length:x}\r\n");
                yield return Filler;
                yield return Text("\r\n10\r\n");
                break;
            case Phase.InAForm:
                yield return Text($"POST /login HTTP/1.1\r\nHost: localhost\r\n{forwarded}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 65000\r\n\r\nname=");
                yield return Filler.AsMemory(0, 60_000);
                break;
            case Phase.AfterAnAnswer:
                yield return Text($"GET /health/live HTTP/1.1\r\nHost: localhost\r\n{forwarded}\r\n");
                break;
            case Phase.NotReadingAnswers:
                yield return Text(string.Concat(Enumerable.Repeat($"GET /docs HTTP/1.1\r\nHost: localhost\r\n{forwarded}\r\n", 100)));
                break;
            case Phase.InTheHandshake:
                // The beginning of a ClientHello that promises 512 bytes.
                yield return new byte[] { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03 };
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(phase), phase, "No such phase.");
        }
    }

    public void Dispose()
    {
        foreach (var client in clients) client.Dispose();
    }
}
