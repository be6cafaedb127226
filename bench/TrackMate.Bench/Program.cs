using TrackMate.Bench;

return args switch
{
    ["kestrel", var url] => await BareKestrel.Run(url),
    ["sqlite", var folder, var seconds] => BareSqlite.Run(folder, int.Parse(seconds)),
    ["writer", var folder] => WriterTime.Run(folder),
    ["copy", var connection, var seconds] => BareCopy.Run(connection, int.Parse(seconds)),
    ["cost", var url, var key] => await CostOfLength.Run(new(url), key),
    ["cost", var url, var key, var events] => await CostOfLength.Run(new(url), key, int.Parse(events)),
    ["acts", var url, var key] => await CostOfActs.Run(new(url), key),
    ["joins", var url, var key] => await CostOfJoins.Run(new(url), key),
    ["two", var first, var second, var key] => await TwoStores.Run(new(first), new(second), key),
    ["strangers", var url, var key] => await Strangers.Run(new(url), key),
    ["flood", var url, var company, var connections, var seconds] => await Flood.Run(new(url), company, int.Parse(connections), int.Parse(seconds)),
    ["watch", var url, var company, var quiet, var flooded] => await Flood.Watch(new(url), company, int.Parse(quiet), int.Parse(flooded)),
    ["webhooks", var file, var webhooks] => ManyWebhooks.Write(file, int.Parse(webhooks)),
    ["people", var file, var people] => SearchOfMany.Write(file, int.Parse(people)),
    ["search", var url, var key, var people] => await SearchOfMany.Run(new(url), key, int.Parse(people)),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("kestrel URL | sqlite FOLDER SECONDS | writer FOLDER | copy CONNECTION SECONDS | cost URL API_KEY [EVENTS] | acts URL API_KEY | joins URL API_KEY | two URL URL API_KEY | strangers URL API_KEY | flood URL COMPANY CONNECTIONS SECONDS | watch URL COMPANY QUIET_SECONDS FLOODED_SECONDS | webhooks FILE WEBHOOKS | people FILE PEOPLE | search URL API_KEY PEOPLE; bench/run.sh, bench/run-postgres.sh, bench/run-citus.sh, bench/run-floods.sh, bench/run-rebuild.sh and bench/run-search.sh call them.");
    return 2;
}
