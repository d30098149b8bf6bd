#!/usr/bin/env bash
# A Slurm cluster of this one machine, for as long as a command runs: `tests/slurm/start.sh COMMAND ARGUMENTS...`
# It needs neither systemd nor cgroups, and leaves nothing behind: all that it writes lies in a temporary folder, save one
# link in /etc/slurm, for which it must be root. (The executor of Snakemake hides SLURM_CONF from the steps of a job.)
# Debian's packages: slurmctld, slurmd, slurm-client, munge.
set -euo pipefail

export PATH="$PATH:/usr/sbin"
for program in munged slurmctld slurmd sinfo; do
    if ! command -v "$program" >/dev/null; then
        echo "$program is not installed; on Debian: apt-get install slurmctld slurmd slurm-client munge" >&2
        exit 2
    fi
done

if [ -e /etc/slurm/slurm.conf ]; then
    echo "this machine belongs to a cluster: there is /etc/slurm/slurm.conf" >&2
    exit 2
fi

folder="$(mktemp -d -t weldbench-slurm.XXXXXX)"
mkdir -p "$folder/controller" "$folder/node" /etc/slurm
export SLURM_CONF="$folder/slurm.conf"

stop() {
    for daemon in slurmd slurmctld munged; do
        if [ -f "$folder/$daemon.pid" ]; then kill "$(cat "$folder/$daemon.pid")" 2>/dev/null || true; fi
    done
    # Each removes its own pid file when it has ended.
    for _ in $(seq 50); do
        if ! compgen -G "$folder/*.pid" >/dev/null; then break; fi
        sleep 0.2
    done
    rm -rf "$folder" /etc/slurm/slurm.conf
}
trap stop EXIT

# The node claims more memory and processors than it may have, and two GPUs that no program can see: what is tested
# here is what the jobs ask for and what Slurm grants.
cat >"$SLURM_CONF" <<CONF
ClusterName=weldbench
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/controller
SlurmdSpoolDir=$folder/node
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=5
MinJobAge=3600
ReturnToService=2
GresTypes=gpu
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=16 RealMemory=128000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
echo "NodeName=$(hostname -s) Name=gpu File=/dev/null,/dev/zero" >"$folder/gres.conf"

head -c 1024 /dev/urandom >"$folder/munge.key"
chmod 400 "$folder/munge.key"
chmod 755 "$folder"
ln -s "$SLURM_CONF" /etc/slurm/slurm.conf
munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
slurmctld
slurmd
for _ in $(seq 30); do
    if [ "$(sinfo --noheader --format=%t 2>/dev/null)" = idle ]; then break; fi
    sleep 1
done
if [ "$(sinfo --noheader --format=%t)" != idle ]; then
    echo "the node did not come up:" >&2
    tail -n 20 "$folder"/*.log >&2
    exit 1
fi
"$@"
